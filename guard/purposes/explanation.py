"""What explains a view, found in the broker's own tables and never taken from the caller's word.

The answer is a `Link`: it goes into the facts that the policy decides on, into the entry, and on to
the detectors, which give it a strength. A claim that the tables do not bear out is not refused
here: it is graded as what it is. An agent who names no case loses nothing: the view is bound to
their own live case of the customer, with the grade that naming it would have given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from guard.clock import DAY, MINUTE, Micros
from guard.purposes.hand_overs import WARM_OVERLAP, handed_at
from guard.rows import AssignmentRow, CaseRow, GrantKind, KnownCase, Situation
from policies.model import Link, Purpose

# After a call ends the agent still writes it up: the view is as explained as during the call.
WRAP_UP: Micros = 20 * MINUTE
# A case that is over explains nothing, and for so long it is still said that there was one.
STALE_FOR: Micros = 10 * DAY
# Ticket systems report late, after an outage by hours: until then a view without a case is pending.
GRACE: Micros = 6 * 60 * MINUTE

BY_HOW: Mapping[str, Link] = {
    "inbound": Link.OWNER,
    # Nobody gave it to them: they took what somebody else had opened.
    "self": Link.TAKEN,
    "escalation": Link.ESCALATION,
    "transfer": Link.TRANSFER,
    # Asked in by the owner, while both work on the case.
    "consult": Link.TRANSFER,
    "qa": Link.QA,
    "queue": Link.QUEUE,
}
_STRONGEST_FIRST = (
    Link.OWNER,
    Link.ESCALATION,
    Link.TRANSFER,
    Link.QUEUE,
    Link.QA,
    Link.TAKEN,
    Link.CLAIMED,
    Link.SELF_OPENED,
    Link.STALE,
)
_WEAK = frozenset({Link.PENDING, Link.NONE, Link.STALE, Link.SELF_OPENED})
# What a queue's own work may rest on.
_CAME = frozenset({Link.OWNER, Link.ESCALATION, Link.TRANSFER, Link.QUEUE, Link.CLAIMED})
# What a case is worked on for; a review is none of it.
_WORK = frozenset({"inbound", "transfer", "escalation", "consult", "queue", "self"})
_ROUTED = frozenset({"queue", "inbound", "transfer", "escalation"})
# The channel names the queue that a case came through; a case of one queue is none of another's.
_QUEUES: Mapping[Purpose, frozenset[str]] = {
    Purpose.FRAUD_REVIEW: frozenset({"fraud", "fraud_review"}),
    Purpose.ONBOARDING: frozenset({"onboarding", "kyc"}),
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a view stands on: its link, and the case behind it if there is one."""

    link: Link
    case: str | None = None


def explain(
    situation: Situation, purpose: Purpose, people: frozenset[str], case_id: str | None, at: Micros
) -> Ground:
    """Find what links `people` (the human and the acting AI agent) to the customer at `at`."""
    if situation.subject is None:
        return Ground(Link.NONE)
    match purpose:
        case Purpose.SUPPORT_CASE:
            return _support(situation, people, case_id, at)
        case Purpose.AI_SESSION:
            return _session(situation, people, case_id, at)
        case Purpose.QUALITY_REVIEW:
            return _reviewed(_candidates(situation, case_id), people, at)
        case Purpose.FRAUD_REVIEW | Purpose.ONBOARDING:
            return _queued(_candidates(situation, case_id), purpose, people, at)
        case Purpose.OUTREACH | Purpose.BREAK_GLASS | Purpose.INVESTIGATION:
            return Ground(_granted(situation, purpose))


def grade(known: KnownCase, people: frozenset[str], at: Micros, hows: Iterable[str] = ()) -> Link:
    """What one case is worth to `people` at `at`; `hows` narrows the assignments that count."""
    rows = [
        a
        for a in known.assignments
        if a.agent_id in people and a.from_at <= at and (not hows or a.how in hows)
    ]
    live = {_link(a, known.case, people) for a in rows if _is_live(a, known, at)}
    for link in _STRONGEST_FIRST:
        if link in live:
            return link
    return Link.STALE if rows else Link.NONE


def _support(
    situation: Situation, people: frozenset[str], case_id: str | None, at: Micros
) -> Ground:
    cases = _candidates(situation, case_id)
    if case_id is None:
        cases = tuple(one for one in cases if not _is_old(one.case, at))
    found = _best(cases, people, at)
    is_known = situation.case is not None
    if found.link is not Link.NONE and (is_known or found.link is not Link.STALE):
        return found
    # Named or not, a case that nobody knows yet may still arrive from the ticket system.
    other = situation.own_open_cases or situation.related_cases
    if other:
        return Ground(Link.RELATED, case_id if case_id in other else other[0])
    if found.link is Link.STALE:
        return found
    return Ground(Link.NONE if is_known or not _in_grace(situation, at) else Link.PENDING)


def _session(
    situation: Situation, people: frozenset[str], case_id: str | None, at: Micros
) -> Ground:
    """A case of the customer it talks to; a machine names its session, so only a name is late."""
    found = _best(_candidates(situation, case_id), people, at, _WORK)
    is_late = case_id is not None and situation.case is None and _in_grace(situation, at)
    return Ground(Link.PENDING) if found.link is Link.NONE and is_late else found


def _candidates(situation: Situation, case_id: str | None) -> tuple[KnownCase, ...]:
    """The cases that may explain the view: the named one, or without a name those of one's own."""
    if case_id is None:
        return situation.own_cases
    case, subject = situation.case, situation.subject
    if case is None or subject is None or case.ref != subject.ref:
        return ()
    return (KnownCase(case=case, assignments=situation.assignments),)


def _best(
    cases: Iterable[KnownCase], people: frozenset[str], at: Micros, hows: Iterable[str] = ()
) -> Ground:
    """The strongest of the cases; of two that are as strong the newer."""
    graded = [
        (one.case.opened_at, Ground(link, one.case.id))
        for one in cases
        if (link := grade(one, people, at, hows)) is not Link.NONE
    ]
    return min(
        graded,
        key=lambda pair: (_STRONGEST_FIRST.index(pair[1].link), -pair[0]),
        default=(0, Ground(Link.NONE)),
    )[1]


def _reviewed(cases: Iterable[KnownCase], people: frozenset[str], at: Micros) -> Ground:
    """A case that was drawn for a review by one of `people`, and nothing else."""
    found = _best(cases, people, at, {"qa"})
    return found if found.link is Link.QA else Ground(Link.NONE)


def _queued(
    cases: Iterable[KnownCase], purpose: Purpose, people: frozenset[str], at: Micros
) -> Ground:
    """A case of the purpose's own queue that is assigned to one of `people`."""
    for known in cases:
        if known.case.channel not in _QUEUES[purpose]:
            continue
        if grade(known, people, at, _ROUTED) in _CAME:
            return Ground(Link.QUEUE, known.case.id)
    return Ground(Link.NONE)


def _granted(situation: Situation, purpose: Purpose) -> Link:
    """What explains a view without a case: an approved list, a broken glass."""
    if purpose is Purpose.OUTREACH and situation.work_list is not None:
        return Link.CAMPAIGN
    is_open = any(g.kind is GrantKind.BREAK_GLASS for g in situation.grants)
    return Link.BREAK_GLASS if purpose is Purpose.BREAK_GLASS and is_open else Link.NONE


def _link(assignment: AssignmentRow, case: CaseRow, people: frozenset[str]) -> Link:
    return Link.SELF_OPENED if case.opened_by in people else worth(assignment.how, case)


def worth(how: str, case: CaseRow) -> Link:
    """What working on a case that somebody else opened is worth, by how it came.

    A ticket that names its customer by an address is as good as its sender until somebody has
    checked: it is weaker whoever routed it, and no better than one's own if nobody did.
    """
    # A way of working that a later release knows explains no more than one that is over.
    link = BY_HOW.get(how, Link.STALE)
    if case.found_by is None or how not in _WORK:
        return link
    return Link.SELF_OPENED if link is Link.TAKEN else Link.CLAIMED


def explain_row(
    situation: Situation, purpose: Purpose, people: frozenset[str], at: Micros
) -> Ground:
    """What a row of a queue rests on: as a view, or an open case of somebody else's.

    A queue comes out of the ticket system, so no row waits for a case that nobody knows yet.
    """
    found = explain(situation, purpose, people, None, at)
    if purpose is not Purpose.SUPPORT_CASE:
        return found
    if situation.has_open_case and found.link in _WEAK:
        return Ground(Link.WAITING)
    return Ground(Link.NONE) if found.link is Link.PENDING else found


def _is_live(mine: AssignmentRow, known: KnownCase, at: Micros) -> bool:
    if mine.how == "qa":
        # What is reviewed is closed; the review ends by itself.
        return mine.to_at is None or at < mine.to_at
    if not _lasts(known.case.closed_at, at):
        return False
    handed = handed_at(mine, known.assignments)
    if handed is None or (mine.to_at is not None and mine.to_at < handed):
        return _lasts(mine.to_at, at)
    return at < (handed if mine.to_at is None else mine.to_at) + WARM_OVERLAP


def _lasts(end: Micros | None, at: Micros) -> bool:
    return end is None or at < end + WRAP_UP


def _is_old(case: CaseRow, at: Micros) -> bool:
    """Whether the case was closed so long ago that it is not even a stale reason."""
    return case.closed_at is not None and case.closed_at + STALE_FOR <= at


def _in_grace(situation: Situation, at: Micros) -> bool:
    first = situation.unlinked_since
    return first is None or at < first + GRACE
