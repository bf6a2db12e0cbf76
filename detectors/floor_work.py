"""A day of honest work on the simulated floor.

Honest does not mean tidy: bursts and slow days, lunch, transfers, escalations, reviews, overtime
and swapped shifts, follow-ups on closed cases, related accounts, links that another system sends
hours late, and now and then a view that nothing explains: a typing error, a guess at the right
namesake, sometimes two or three in a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.floor_actions import (
    Action,
    Assigned,
    CaseClosed,
    CaseOpened,
    Transferred,
    View,
)
from guard.clock import DAY, HOUR, MINUTE, SECOND, Micros
from guard.events import AgentProfile
from policies.model import Link, Purpose

SHIFT: Micros = 8 * HOUR
LUNCH: Micros = 30 * MINUTE
# Median minutes on a case, and its spread; with lunch and gaps about 35 customers a day.
HANDLE_MIN, HANDLE_SPREAD = 10.5, 0.5
BURST_DAYS, BURST_PACE = 0.08, 0.65
OVERTIME_DAYS, OVERTIME = 0.05, 90 * MINUTE
SWAPPED_DAYS = 0.02
HOT_DESK_DAYS = 0.05
OUTAGE_DAYS = 0.10
INCIDENT_DAYS, INCIDENT_PACE = 0.05, 0.45
LATE_LINK, LATE_BY = 0.015, (5 * MINUTE, 6 * HOUR)
TRANSFERS, ESCALATIONS, SELF_OPENED = 0.05, 0.02, 0.01
FOLLOW_UPS, RELATED, SECOND_LOOK = 0.008, 0.015, 0.35
CLUSTERS = (0.85, 0.10, 0.05)
OUTREACH_PER_DAY, QA_PER_DAY, AI_PER_DAY = 110, 50, 700
# A tenth of the customers make this share of the contacts, beside their part of the rest.
REGULARS = 0.33
CHANNELS = ("phone", "chat", "mail")


@dataclass(frozen=True, slots=True)
class Trait:
    """How an agent works: pace, own rate of unexplained views, which two weekdays are free."""

    pace: float
    slips: float
    free: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Outage:
    """A vendor's links do not arrive while its case system is down; they all come afterwards."""

    vendor: str
    begin: Micros
    end: Micros


@dataclass(slots=True)
class DayPlan:
    """A day in the making."""

    day: int
    midnight: Micros
    customers: int
    rng: np.random.Generator
    shifts: Mapping[str, tuple[Micros, Micros]]
    people: Mapping[str, AgentProfile]
    fronts: Sequence[str]
    outage: Outage | None = None
    is_incident: bool = False
    actions: list[Action] = field(default_factory=list)
    cases: int = 0
    devices: dict[str, str] = field(default_factory=dict)

    def customer(self) -> int:
        """Some customer; a tenth of them make two fifths of the contacts."""
        rng = self.rng
        top = max(1, self.customers // 10)
        return int(rng.integers(1, top + 1 if rng.random() < REGULARS else self.customers + 1))

    def next_case(self) -> str:
        """A new case id."""
        self.cases += 1
        return f"c{self.day:03d}-{self.cases:05d}"

    def is_working(self, agent_id: str, at: Micros) -> bool:
        """Whether somebody is at work at this time."""
        begin, end = self.shifts.get(agent_id, (0, 0))
        return begin <= at < end

    def add(self, *actions: Action) -> None:
        """Plan actions; what would fall on the next day does not happen."""
        self.actions += [a for a in actions if a.at < self.midnight + DAY]

    def view(
        self, at: float, agent_id: str, customer: int, link: Link, case_id: str | None = None
    ) -> None:
        """Plan a view with the purpose that goes with its link."""
        purpose = {Link.CAMPAIGN: Purpose.OUTREACH, Link.QA: Purpose.QUALITY_REVIEW}
        is_ai = agent_id.startswith("ai")
        usual = Purpose.AI_SESSION if is_ai else Purpose.SUPPORT_CASE
        self.add(
            View(
                at=int(at),
                agent_id=agent_id,
                customer=customer,
                case_id=case_id,
                purpose=purpose.get(link, usual),
                link=link,
                device=self.devices.get(agent_id, f"desk-{agent_id}"),
            )
        )


def outage_of(
    agents: Sequence[AgentProfile], midnight: Micros, rng: np.random.Generator
) -> Outage | None:
    """An hour or two without links at one vendor, on some days."""
    if rng.random() >= OUTAGE_DAYS:
        return None
    vendors = sorted({p.vendor for p in agents})
    begin = midnight + int(rng.uniform(4, 18) * HOUR)
    end = begin + int(rng.uniform(0.7, 2.0) * HOUR)
    return Outage(vendors[int(rng.integers(0, len(vendors)))], begin, end)


def shift_of(
    profile: AgentProfile, utc_start: int, midnight: Micros, rng: np.random.Generator
) -> tuple[Micros, Micros]:
    """Today's shift in absolute time: usual, with overtime, or swapped with another."""
    begin = midnight + utc_start * MINUTE
    if rng.random() < SWAPPED_DAYS:
        begin = midnight + int(rng.integers(0, 15)) * HOUR
    end = begin + SHIFT
    if profile.kind == "human" and rng.random() < OVERTIME_DAYS:
        end += OVERTIME
    return begin, min(end, midnight + DAY - MINUTE)


def work_queue(plan: DayPlan, agent_id: str, trait: Trait) -> None:
    """One front-line agent's day: case after case from the queue."""
    rng = plan.rng
    begin, end = plan.shifts[agent_id]
    lunch = begin + (end - begin) // 2 + int(rng.normal(0, 20)) * MINUTE
    pace = trait.pace * (BURST_PACE if rng.random() < BURST_DAYS else 1.0)
    pace *= INCIDENT_PACE if plan.is_incident else 1.0
    at, closed, is_hungry = float(begin + rng.integers(1, 10) * MINUTE), [], True
    while at < end:
        if is_hungry and at >= lunch:
            at, is_hungry = at + LUNCH, False
        handle = HANDLE_MIN * pace * float(rng.lognormal(0, HANDLE_SPREAD)) * MINUTE
        case_id, customer = _contact(plan, agent_id, at, handle)
        closed.append((at + handle, case_id, customer))
        _on_the_side(plan, agent_id, at + handle * 0.4, closed, trait)
        at += handle + float(rng.exponential(1.0)) * MINUTE


def _contact(plan: DayPlan, agent_id: str, at: float, handle: float) -> tuple[str, int]:
    rng, customer, case_id = plan.rng, plan.customer(), plan.next_case()
    channel = CHANNELS[int(rng.integers(0, len(CHANNELS)))]
    is_own = rng.random() < SELF_OPENED
    link, how = (Link.SELF_OPENED, "self") if is_own else (Link.OWNER, "inbound")
    opened = at - float(rng.uniform(0.5, 15)) * MINUTE if not is_own else at - 30 * SECOND
    assigned = at - 5 * SECOND
    down_for = _down_for(plan, agent_id, at)
    is_late = not is_own and (rng.random() < LATE_LINK or down_for > 0)
    if is_late:
        late = down_for or float(rng.uniform(*LATE_BY))
        opened = assigned = at + late + float(rng.uniform(1, 30)) * MINUTE
    plan.add(
        CaseOpened(
            at=max(int(opened), plan.midnight),
            case_id=case_id,
            customer=customer,
            channel=channel,
            opened_by=agent_id if is_own else None,
        ),
        Assigned(
            at=max(int(assigned), plan.midnight + 1),
            case_id=case_id,
            customer=customer,
            agent_id=agent_id,
            how=how,
        ),
    )
    if is_late:
        plan.view(at, agent_id, customer, Link.NONE)
        plan.add(CaseClosed(at=int(assigned) + MINUTE, case_id=case_id, customer=customer))
        return case_id, customer
    plan.view(at, agent_id, customer, link, case_id)
    if rng.random() < SECOND_LOOK:
        plan.view(at + handle * 0.6, agent_id, customer, link, case_id)
    end = _pass_on(plan, agent_id, at + handle * 0.7, case_id, customer) or at + handle
    plan.add(CaseClosed(at=int(end), case_id=case_id, customer=customer))
    return case_id, customer


def _down_for(plan: DayPlan, agent_id: str, at: float) -> float:
    """How long the agent's case system still stays down; 0 when it is up."""
    down = plan.outage
    if down is None or plan.people[agent_id].vendor != down.vendor:
        return 0.0
    return down.end - at if down.begin <= at < down.end else 0.0


def _pass_on(plan: DayPlan, agent_id: str, at: float, case_id: str, customer: int) -> float | None:
    """Transfer or escalate now and then; returns when the next one is done with the case."""
    rng, dice = plan.rng, plan.rng.random()
    lead = plan.people[agent_id].manager_id
    later = int(at) + int(rng.uniform(1, 10) * MINUTE)
    if dice < TRANSFERS:
        other = plan.fronts[int(rng.integers(0, len(plan.fronts)))]
        if other == agent_id or not plan.is_working(other, later):
            return None
        plan.add(
            Transferred(
                at=int(at),
                case_id=case_id,
                customer=customer,
                from_agent=agent_id,
                to_agent=other,
            )
        )
        plan.view(later, other, customer, Link.TRANSFER, case_id)
        return later + 6 * MINUTE
    if dice < TRANSFERS + ESCALATIONS and lead is not None and plan.is_working(lead, later):
        plan.add(
            Assigned(
                at=int(at), case_id=case_id, customer=customer, agent_id=lead, how="escalation"
            )
        )
        plan.view(later, lead, customer, Link.ESCALATION, case_id)
        return later + 10 * MINUTE
    return None


def slip(plan: DayPlan, agent_id: str, at: float) -> None:
    """A view that nothing explains, sometimes two or three until the right record is found."""
    for _ in range(1 + int(plan.rng.choice(len(CLUSTERS), p=CLUSTERS))):
        plan.view(at, agent_id, plan.customer(), Link.NONE)
        at += float(plan.rng.uniform(0.3, 2.0)) * MINUTE


def _on_the_side(
    plan: DayPlan, agent_id: str, at: float, closed: list[tuple[float, str, int]], trait: Trait
) -> None:
    rng = plan.rng
    if rng.random() < trait.slips:
        slip(plan, agent_id, at)
    if rng.random() < RELATED:
        plan.view(at, agent_id, plan.customer(), Link.RELATED, closed[-1][1])
    old = [c for c in closed if c[0] < at - 3 * HOUR]
    if old and rng.random() < FOLLOW_UPS * 2:
        _, case_id, customer = old[int(rng.integers(0, len(old)))]
        plan.view(at, agent_id, customer, Link.STALE, case_id)


def work_list(plan: DayPlan, agent_id: str, trait: Trait) -> None:
    """One outreach agent's day: an approved list, from top to bottom."""
    rng = plan.rng
    begin, end = plan.shifts[agent_id]
    count = int(rng.poisson(OUTREACH_PER_DAY / trait.pace))
    first = int(rng.integers(1, plan.customers))
    for i, at in enumerate(np.sort(rng.uniform(begin, end, count)).tolist()):
        plan.view(at, agent_id, (first + 3 * i) % plan.customers + 1, Link.CAMPAIGN)
        if rng.random() < trait.slips / 3:
            plan.view(at + 40 * SECOND, agent_id, plan.customer(), Link.NONE)


def review(plan: DayPlan, agent_id: str, trait: Trait) -> None:
    """One reviewer's day: closed cases, handed out by the review queue."""
    rng = plan.rng
    begin, end = plan.shifts[agent_id]
    done = [a for a in plan.actions if isinstance(a, CaseClosed) and a.at < end]
    if not done:
        return
    for at in np.sort(rng.uniform(begin + HOUR, end, int(rng.poisson(QA_PER_DAY)))).tolist():
        case = done[int(rng.integers(0, len(done)))]
        if case.at >= at:
            continue
        plan.add(
            Assigned(
                at=int(at) - MINUTE,
                case_id=case.case_id,
                customer=case.customer,
                agent_id=agent_id,
                how="qa",
            )
        )
        plan.view(at, agent_id, case.customer, Link.QA, case.case_id)
        if rng.random() < trait.slips / 2:
            plan.view(at + MINUTE, agent_id, plan.customer(), Link.NONE)


def chat(plan: DayPlan, agent_id: str, trait: Trait) -> None:
    """One AI agent's day: chats round the clock, each with its own case."""
    rng = plan.rng
    begin, end = plan.midnight + 10 * MINUTE, plan.midnight + DAY - 10 * MINUTE
    for at in np.sort(rng.uniform(begin, end, int(rng.poisson(AI_PER_DAY)))).tolist():
        customer, case_id = plan.customer(), plan.next_case()
        plan.add(
            CaseOpened(at=int(at) - 2, case_id=case_id, customer=customer, channel="chat"),
            Assigned(
                at=int(at) - 1,
                case_id=case_id,
                customer=customer,
                agent_id=agent_id,
                how="inbound",
            ),
        )
        plan.view(at, agent_id, customer, Link.OWNER, case_id)
        if rng.random() < trait.slips / 4:
            plan.view(at + SECOND, agent_id, plan.customer(), Link.NONE)
        plan.add(CaseClosed(at=int(at) + 4 * MINUTE, case_id=case_id, customer=customer))
