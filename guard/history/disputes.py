"""A customer's word that an act in their history had nothing to do with them.

It is kept as an entry and becomes weak evidence (`detectors.disputes`): people forget, share a
phone, and can frame an agent. So it changes nothing by itself, the agent is told nothing of it, and
each row of a history is disputed once. What is held back cannot be disputed, and the answer is that
of a row that does not exist.
"""

import msgspec

from guard.clock import Clock
from guard.entries import EntryKind, NewEntry, OpenedEntry, SubjectPart, event_by
from guard.errors import InvalidRequestError, NotFoundError
from guard.history.customer import is_entry_held, records_of, require_portal
from guard.history.hold_backs import in_force
from guard.history.words import DISPUTABLE
from guard.ledger.entry import open_entry
from guard.ports import Committer, DetailVault, ReadView, Transaction
from guard.principals import Principal
from guard.rows import DisputeRow

SCOPE = "disputes:write"
MAX_TEXT = 500


class Disputes:
    """Takes disputes from portals."""

    def __init__(self, committer: Committer, clock: Clock, vault: DetailVault) -> None:
        """Write through `committer`."""
        self._committer, self._clock, self._vault = committer, clock, vault

    async def dispute(self, principal: Principal, ref: str, entry_id: str, text: str) -> DisputeRow:
        """Keep that the customer says an entry was no contact of theirs; again: the first stands.

        Raises:
            AccessDeniedError: The caller is no service with that scope.
            InvalidRequestError: The text is too long.
            NotFoundError: The reference is unknown, or its history has no such row.
        """
        require_portal(principal, SCOPE)
        if len(text) > MAX_TEXT:
            raise InvalidRequestError(f"`text` has at most {MAX_TEXT} characters")
        now = self._clock.now()

        def work(tx: Transaction) -> DisputeRow:
            tx.rows.settle()
            refs = records_of(tx.rows, principal.tenant, ref)
            entry = self._row_of(tx.rows, principal.tenant, refs, entry_id)
            known = tx.rows.dispute(principal.tenant, entry.entry_id)
            if known is not None:
                return known
            about = next(one for one in refs if one in entry.refs)
            event = msgspec.structs.replace(
                event_by(principal, EntryKind.DISPUTE, now),
                body={
                    "of": entry.entry_id,
                    "index": entry.index,
                    "agent": entry.event.actor or entry.event.agent,
                },
            )
            part = SubjectPart(customer=about, reason=text)
            receipt = tx.record(NewEntry(kind=EntryKind.DISPUTE, event=event, subjects=(part,)))
            row = DisputeRow(
                tenant=principal.tenant,
                of=entry.entry_id,
                id=receipt.entry_id,
                ref=about,
                at=now,
            )
            tx.rows.put_dispute(row)
            return row

        return await self._committer.run(work)

    def _row_of(
        self, view: ReadView, tenant: str, refs: tuple[str, ...], entry_id: str
    ) -> OpenedEntry:
        """The row of the history that is meant."""
        entry = self._entry(view, entry_id, refs)
        if entry is None or entry.event.tenant != tenant or entry.kind not in DISPUTABLE:
            raise NotFoundError("the history has no such row: name one that it shows")
        now = self._clock.now()
        if is_entry_held(in_force(view.hold_backs(tenant, now), now), entry, refs):
            raise NotFoundError("the history has no such row: name one that it shows")
        return entry

    def _entry(self, view: ReadView, entry_id: str, refs: tuple[str, ...]) -> OpenedEntry | None:
        try:
            index = view.index_of(bytes.fromhex(entry_id))
        except ValueError:
            return None
        if index is None:
            return None
        (stored,) = view.entries(index, 1)
        if not set(refs) & set(stored.refs):
            return None
        return open_entry(stored, self._vault, view.subjects(refs))
