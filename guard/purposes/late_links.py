"""A case that comes late repairs the grade of the views that were made before it was known.

Each view gets one `LATE_LINK` entry, in the transaction that brought the case; the view's own entry
stays as it is. What could be arranged afterwards repairs nothing: a case that the viewing agent
opened, a review, and a case that came to the agent only after the view. A late report says when the
case really came, and a contact is looked up some minutes before its case exists.
"""

from collections.abc import Sequence

import msgspec

from guard.clock import DAY, MINUTE, Micros
from guard.entries import EntryKind, EventPart, NewEntry, SubjectPart
from guard.ports import Transaction
from guard.purposes.explanation import worth
from guard.rows import AssignmentRow, CaseRow, UnlinkedView

# Ticket systems report within a day or not at all.
LATE: Micros = DAY
# From the first look at a caller's record to the assignment of the case that the call becomes.
BEFOREHAND: Micros = 30 * MINUTE
# An agent looks at one customer a few times a day; what is beyond this is no late case.
MAX_LATE_LINKS = 50

_REPAIRING = frozenset({"inbound", "transfer", "escalation", "consult", "queue"})


def unlinked(tx: Transaction, case: CaseRow, row: AssignmentRow, at: Micros) -> list[UnlinkedView]:
    """The views that a new assignment repairs, oldest first."""
    if row.how not in _REPAIRING or case.opened_by == row.agent_id:
        return []
    since = max(at - LATE, row.from_at - BEFOREHAND)
    tx.rows.settle()
    found = tx.rows.unlinked_views(case.tenant, case.ref, row.agent_id, since, MAX_LATE_LINKS)
    # An AI agent acts for a person: neither may have opened the case.
    views = [v for v in found if case.opened_by not in {v.agent_id, v.actor_id} - {""}]
    return sorted(views, key=lambda view: view.index)


def repair(
    tx: Transaction,
    event: EventPart,
    case: CaseRow,
    row: AssignmentRow,
    views: Sequence[UnlinkedView],
) -> None:
    """Record what each view is worth now that its case is known."""
    link = worth(row.how, case).value
    for view in views:
        tx.rows.put_late_link(case.tenant, view.index, link)
        late = msgspec.structs.replace(
            event,
            kind=EntryKind.LATE_LINK.name.lower(),
            body={
                "of": view.entry_id.hex(),
                "index": view.index,
                "agent": view.actor_id or view.agent_id,
                "was": view.link,
                "link": link,
                "case": case.id,
                "case_opened_by": case.opened_by or "",
            },
        )
        subject = SubjectPart(customer=case.ref, case=case.id)
        tx.record(NewEntry(kind=EntryKind.LATE_LINK, event=late, subjects=(subject,)))
