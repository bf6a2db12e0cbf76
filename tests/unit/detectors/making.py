"""Makers of events and looks for the detectors' unit tests."""

from dataclasses import replace

from detectors.channels import Look
from detectors.explanations import Explanation
from guard.clock import DAY, HOUR, SECOND, Micros, from_rfc3339
from guard.events import (
    AccessAction,
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    LateLinkEvent,
)
from policies.model import Link

MONDAY = from_rfc3339("2026-03-02T00:00:00Z")
NINE = MONDAY + 9 * HOUR


def make_event(
    *, ts: Micros = NINE, customer: str = "cust-000100", link: Link = Link.NONE, position: int = 0
) -> AccessEvent:
    return AccessEvent(position=position, ts=ts, agent_id="ann", customer_id=customer, link=link)


def make_look(
    link: Link = Link.NONE,
    *,
    at_s: float = 0.0,
    gap_s: float | None = None,
    event: AccessEvent | None = None,
) -> Look:
    event = event if event is not None else make_event(link=link)
    explanation = Explanation(link)
    return Look(
        event=replace(event, ts=NINE + int(at_s * SECOND), link=link),
        explanation=explanation,
        is_weak=not explanation.is_explained,
        on_shift=None,
        gap_s=gap_s,
    )


def make_search(results: int) -> Look:
    event = replace(make_event(), action=AccessAction.SEARCH, result_count=results)
    return make_look(event=event)


def make_verification(results: int) -> Look:
    event = replace(make_event(), action=AccessAction.VERIFY, result_count=results)
    return make_look(event=event)


def make_case(
    case_id: str = "k1",
    *,
    ts: Micros = NINE,
    customer: str = "cust-000100",
    opened_by: str | None = None,
    is_open: bool = True,
) -> CaseEvent:
    return CaseEvent(
        position=0,
        ts=ts,
        case_id=case_id,
        customer_id=customer,
        opened_by=opened_by,
        channel="phone",
        is_open=is_open,
    )


def make_assignment(
    case_id: str = "k1",
    *,
    ts: Micros = NINE,
    customer: str = "cust-000100",
    how: str = "inbound",
    is_start: bool = True,
) -> AssignmentEvent:
    return AssignmentEvent(
        position=0,
        ts=ts,
        case_id=case_id,
        customer_id=customer,
        agent_id="ann",
        how=how,
        is_start=is_start,
    )


def make_profile(agent_id: str = "ann", *, team: str = "t1", lead: str = "lea") -> AgentProfile:
    return AgentProfile(agent_id=agent_id, team=team, vendor="v1", manager_id=lead)


def day_of_looks(
    n: int, *, agent_id: str = "ann", day: int = 0, unexplained: int = 0, minutes: float = 12
) -> list[AccessEvent]:
    """A working day with `n` explained looks, the last `unexplained` of them without a reason."""
    return [
        AccessEvent(
            position=1000 * day + i,
            ts=NINE + day * DAY + int(i * minutes * 60 * SECOND),
            agent_id=agent_id,
            customer_id=f"{agent_id}-{day}-{7919 * (i + 1) % 99991:06d}",
            link=Link.NONE if i >= n - unexplained else Link.OWNER,
        )
        for i in range(n)
    ]


def make_late_link(
    of: int,
    *,
    ts: Micros = NINE + HOUR,
    customer: str = "cust-000100",
    link: Link = Link.OWNER,
    opened_by: str | None = None,
) -> LateLinkEvent:
    return LateLinkEvent(
        position=0,
        ts=ts,
        agent_id="ann",
        customer_id=customer,
        of=of,
        link=link,
        case_id="k1",
        opened_by=opened_by,
    )
