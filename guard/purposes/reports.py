"""What a report of a case changes, given what is known of it: pure, so that order can be tested.

Reports come late and out of order. A newer one stands: an older one neither reopens a case nor
gives it back to somebody, and only says who held it in between. Who writes a case is believed about
everybody but themselves: nothing was routed to them that only they say was.
"""

from dataclasses import dataclass, field, replace

from guard.clock import Micros
from guard.entries import BodyValue
from guard.principals import Principal
from guard.rows import CaseRow, PrincipalRow, SubjectRow
from policies.model import ActorKind

# How a case came to somebody who gave it to themselves.
SELF = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentPut:
    """Somebody works on the case from `from_at` until `to_at` (None: still)."""

    agent: str
    how: str
    from_at: Micros
    to_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePut:
    """The whole of a case.

    The customer is given by reference, by source and source key, or by an `identifier`: its kind
    (`email`, `phone`, `account`...) and the exact value, which is looked up and forgotten.
    `released_at` is when a system with one holder at a time took the case from whoever had it: to
    give it to somebody else, or back to a queue. `as_of` is when all this was so (None: when it
    came in): an older report changes nothing that a newer one has said. `found_by` is filled in
    where an identifier was looked up: its kind.
    """

    id: str
    customer: str | None = None
    source: str | None = None
    source_key: str | None = None
    identifier: tuple[str, str] | None = field(default=None, repr=False)
    region: str = ""
    channel: str
    opened_at: Micros
    opened_by: str | None = None
    closed_at: Micros | None = None
    assignments: tuple[AssignmentPut, ...] = ()
    released_at: Micros | None = None
    as_of: Micros | None = None
    found_by: str | None = None


def merged(
    case: CasePut, subject: SubjectRow, old: CaseRow | None, as_of: Micros, opener: str | None
) -> CaseRow:
    """The case as a report says that it is; `opener` is who opened one that nobody knew, by that.

    Who opened a case does not change: a report that does not say keeps what is known. A customer
    who was once named by a key of their own, or checked, stays so.
    """
    return CaseRow(
        id=case.id,
        tenant=subject.tenant,
        ref=subject.ref,
        channel=case.channel,
        opened_at=case.opened_at,
        opened_by=case.opened_by or (opener if old is None else old.opened_by),
        closed_at=case.closed_at,
        found_by=case.found_by if old is None or old.found_by is not None else None,
        as_of=as_of,
        held_as_of=0 if old is None else old.held_as_of,
    )


def told(row: CaseRow) -> dict[str, BodyValue]:
    """What the entry of a case says."""
    body: dict[str, BodyValue] = {
        "case": row.id,
        "channel": row.channel,
        "opened_by": row.opened_by or "",
        "open": row.closed_at is None,
        "opened_at": row.opened_at,
    }
    if row.closed_at is not None:
        body["closed_at"] = row.closed_at
    if row.found_by is not None:
        body["found_by"] = row.found_by
    return body


def is_late(old: CaseRow, case: CasePut, as_of: Micros) -> bool:
    """Whether a newer report is known; of two of the same time the one that closed the case stays.

    Ticket systems tell whole seconds, and a ticket may be made and solved within one.
    """
    reopens = old.closed_at is not None and case.closed_at is None and case.as_of is not None
    return as_of < old.as_of or (as_of == old.as_of and reopens)


def ended(case: CasePut, as_of: Micros, held_as_of: Micros) -> CasePut:
    """The report with an end for every hold that a newer report no longer knows."""
    if as_of >= held_as_of:
        return case
    puts = tuple(
        replace(put, to_at=max(put.from_at, held_as_of)) if put.to_at is None else put
        for put in case.assignments
    )
    return replace(case, assignments=puts)


def is_own(by: Principal, agent: str, row: PrincipalRow | None) -> bool:
    """Whether an assignment goes to its writer, or to a machine that works under it."""
    if agent in {by.id, by.actor, by.client}:
        return True
    return row is not None and row.kind is not ActorKind.HUMAN and by.id in row.line
