"""Who saw whom: the log read both ways, and proven; and each look at it is an entry too.

A look-up writes its own entry before it answers, with the customers it is about. Auditors are
principals like anyone else. Files of the log are `guard.exporting`'s business.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from guard.clock import Clock
from guard.entries import BodyValue, EntryKind, NewEntry, OpenedEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.ledger.checkpoint import parse_text
from guard.ledger.entry import open_entry
from guard.ledger.note import parse_note
from guard.ledger.proofs import Proofs
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import LogQuery
from policies.model import Role

MAX_PAGE = 500
_MAY_READ = frozenset({Role.AUDITOR, Role.ANALYST, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLog:
    """Where the published log lies."""

    log_dir: Path


class Auditing:
    """Answers auditors."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        log: PublishedLog,
    ) -> None:
        """Read through `readers`, open details with `vault`, prove from the published `log`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._proofs = vault, Proofs(log.log_dir)

    async def views(self, principal: Principal, query: LogQuery) -> list[OpenedEntry]:
        """A page of the log, newest first; the look-up itself is recorded first.

        Raises:
            AccessDeniedError: The role may not read the log, or asks for another tenant.
            InvalidRequestError: The page is too large.
            NotFoundError: The customer's reference is unknown.
        """
        _require(principal, query, _MAY_READ)
        if not 0 < query.limit <= MAX_PAGE:
            raise InvalidRequestError(f"a page holds 1 to {MAX_PAGE} entries")
        body: dict[str, BodyValue] = {"about": query.agent_id or "", "limit": query.limit}
        refs = () if query.ref is None else (query.ref,)
        await self._note(principal, EntryKind.AUDIT_QUERY, body, refs)
        return await self._read(query)

    async def checkpoint(self) -> bytes:
        """The newest signed checkpoint, a C2SP signed note.

        Raises:
            NotFoundError: Nothing has been published yet.
        """
        note = await self._readers.read(lambda view: view.checkpoint())
        if note is None:
            raise NotFoundError("no checkpoint is published yet: try again in a second")
        return note

    async def proof(self, where: int | bytes) -> bytes:
        """The `.tlog-proof` of one entry, by index or id, to the newest checkpoint.

        Raises:
            NotFoundError: The entry is not under a published checkpoint yet.
        """
        note = await self.checkpoint()
        index = where if isinstance(where, int) else await self._index_of(where)
        if index is None or index >= parse_text(parse_note(note).text).size:
            raise NotFoundError("this entry is not under a checkpoint yet: try again in a second")
        return await asyncio.to_thread(self._proofs.tlog_proof, index, note)

    async def _index_of(self, entry_id: bytes) -> int | None:
        return await self._readers.read(lambda view: view.index_of(entry_id))

    async def _read(self, query: LogQuery) -> list[OpenedEntry]:
        return await self._readers.read(lambda view: self._page(view, query))

    async def _note(
        self, by: Principal, kind: EntryKind, body: dict[str, BodyValue], refs: Collection[str]
    ) -> None:
        """Record a look at the log, with the customers it is about, before it is answered."""
        event = msgspec.structs.replace(event_by(by, kind, self._clock.now()), body=body)
        subjects = tuple(SubjectPart(customer=ref) for ref in sorted(refs))

        def work(tx: Transaction) -> None:
            known = tx.rows.subjects(refs)
            if any(ref not in known or known[ref].tenant != by.tenant for ref in refs):
                raise NotFoundError("unknown customer reference")
            tx.record(NewEntry(kind=kind, event=event, subjects=subjects))

        await self._committer.run(work)

    def _page(self, view: ReadView, query: LogQuery) -> list[OpenedEntry]:
        stored = view.search(query)
        subjects = view.subjects({ref for entry in stored for ref in entry.refs})
        return [open_entry(entry, self._vault, subjects) for entry in stored]


def _require(principal: Principal, query: LogQuery, roles: frozenset[Role]) -> None:
    if principal.role not in roles:
        raise AccessDeniedError("an auditor or administrator reads the log")
    if query.tenant != principal.tenant:
        raise AccessDeniedError("the log of another tenant is that tenant's to read")
