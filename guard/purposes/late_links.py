"""A case that comes late repairs the grade of the views that were made before it was known.

Each view gets one `LATE_LINK` entry, in the transaction that brought the case; the view's own entry
stays as it is. A case that the viewing agent opened repairs nothing, and neither does a review:
both could be arranged afterwards.
"""

from collections.abc import Sequence

import msgspec

from guard.clock import DAY, Micros
from guard.entries import EntryKind, EventPart, NewEntry, SubjectPart
from guard.ports import Transaction
from guard.purposes.explanation import BY_HOW
from guard.rows import AssignmentRow, CaseRow, UnlinkedView

# Ticket systems report within a day or not at all.
LATE: Micros = DAY
# An agent looks at one customer a few times a day; what is beyond this is no late case.
MAX_LATE_LINKS = 50

_REPAIRING = frozenset({"inbound", "transfer", "escalation", "consult", "queue"})


def unlinked(tx: Transaction, case: CaseRow, row: AssignmentRow, at: Micros) -> list[UnlinkedView]:
    """The views that a new assignment repairs, oldest first."""
    if row.how not in _REPAIRING or case.opened_by == row.agent_id:
        return []
    found = tx.rows.unlinked_views(case.tenant, case.ref, row.agent_id, at - LATE, MAX_LATE_LINKS)
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
    link = BY_HOW[row.how].value
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
