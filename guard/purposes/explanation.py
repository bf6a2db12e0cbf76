"""What explains a view, found in the broker's own tables and never taken from the caller's word.

The answer is a `Link`: it goes into the facts that the policy decides on, into the entry, and on to
the detectors, which give it a strength. A claim that the tables do not bear out is not refused
here: it is graded as what it is.
"""

from guard.clock import MINUTE, Micros
from guard.rows import AssignmentRow, GrantKind, Situation
from policies.model import Link, Purpose

# After a call ends the agent still writes it up: the view is as explained as during the call.
WRAP_UP: Micros = 20 * MINUTE

_BY_HOW = {
    "inbound": Link.OWNER,
    "self": Link.SELF_OPENED,
    "escalation": Link.ESCALATION,
    "transfer": Link.TRANSFER,
    "qa": Link.QA,
    "queue": Link.QUEUE,
}
_STRONGEST_FIRST = (
    Link.OWNER,
    Link.ESCALATION,
    Link.TRANSFER,
    Link.QUEUE,
    Link.QA,
    Link.SELF_OPENED,
)

# Purposes that one kind of assignment explains and no other.
_NEEDED = {
    Purpose.QUALITY_REVIEW: Link.QA,
    Purpose.FRAUD_REVIEW: Link.QUEUE,
    Purpose.ONBOARDING: Link.QUEUE,
}


def explain(
    situation: Situation, purpose: Purpose, people: frozenset[str], case_id: str | None, at: Micros
) -> Link:
    """Find what links `people` (the human and the acting AI agent) to the customer at `at`."""
    if situation.subject is None:
        return Link.NONE
    match purpose:
        case Purpose.SUPPORT_CASE | Purpose.AI_SESSION:
            return _by_case(situation, people, case_id, at)
        case Purpose.QUALITY_REVIEW | Purpose.FRAUD_REVIEW | Purpose.ONBOARDING:
            link = _by_case(situation, people, case_id, at)
            return link if link is _NEEDED[purpose] else Link.NONE
        case Purpose.OUTREACH:
            return Link.NONE if situation.work_list is None else Link.CAMPAIGN
        case Purpose.BREAK_GLASS:
            is_open = any(g.kind is GrantKind.BREAK_GLASS for g in situation.grants)
            return Link.BREAK_GLASS if is_open else Link.NONE
        case Purpose.INVESTIGATION:
            return Link.NONE


def _by_case(situation: Situation, people: frozenset[str], case_id: str | None, at: Micros) -> Link:
    case, subject = situation.case, situation.subject
    if case is None:
        # A case that is named but not yet known may arrive late from the ticket system.
        return _without_case(situation, Link.NONE if case_id is None else Link.PENDING)
    if subject is None or case.ref != subject.ref:
        return _without_case(situation, Link.NONE)
    own = [a for a in situation.assignments if a.agent_id in people and a.from_at <= at]
    live = {
        _link(a, case.opened_by, people)
        for a in own
        if _lasts(a.to_at, at) and _lasts(case.closed_at, at)
    }
    for link in _STRONGEST_FIRST:
        if link in live:
            return link
    return Link.STALE if own else _without_case(situation, Link.NONE)


def _without_case(situation: Situation, otherwise: Link) -> Link:
    return Link.RELATED if situation.own_open_cases else otherwise


def _link(assignment: AssignmentRow, opened_by: str | None, people: frozenset[str]) -> Link:
    if opened_by in people:
        return Link.SELF_OPENED
    return _BY_HOW.get(assignment.how, Link.NONE)


def _lasts(end: Micros | None, at: Micros) -> bool:
    return end is None or at < end + WRAP_UP
