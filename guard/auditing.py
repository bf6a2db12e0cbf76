"""Who saw whom: the log read both ways, proven and exported; and each look at it is an entry too.

A look-up writes its own entry before it answers, as does every chunk of an export before it leaves,
with the customers it is about. Auditors are principals like anyone else.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from guard.clock import Clock
from guard.entries import BodyValue, EntryKind, NewEntry, OpenedEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.exports import FORMATS, ExportFormat
from guard.ledger.entry import open_entry
from guard.ledger.proofs import entry_proof
from guard.ports import Committer, DetailVault, ReadView, Readers, Transaction
from guard.principals import Principal
from guard.rows import LogQuery
from policies.model import Role

MAX_PAGE = 500
EXPORT_CHUNK = 500
_MAY_READ = frozenset({Role.AUDITOR, Role.ANALYST, Role.ADMIN})
_MAY_EXPORT = frozenset({Role.AUDITOR, Role.ADMIN})


class Auditing:
    """Answers auditors."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        log_dir: Path,
    ) -> None:
        """Read through `readers`, open details with `vault`, prove from the tiles in `log_dir`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._log_dir = vault, log_dir

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
        subjects = () if query.ref is None else (SubjectPart(customer=query.ref),)
        body: dict[str, BodyValue] = {"about": query.agent_id or "", "limit": query.limit}

        def work(tx: Transaction) -> None:
            if query.ref is not None and tx.rows.subject(query.tenant, query.ref) is None:
                raise NotFoundError("unknown customer reference")
            self._record(tx, principal, EntryKind.AUDIT_QUERY, body, subjects)

        await self._committer.run(work)
        return await self._readers.read(lambda view: self._page(view, query))

    async def checkpoint(self) -> bytes:
        """The newest signed checkpoint, a C2SP signed note.

        Raises:
            NotFoundError: Nothing has been published yet.
        """
        note = await self._readers.read(lambda view: view.checkpoint())
        if note is None:
            raise NotFoundError("no checkpoint is published yet: try again in a second")
        return note

    async def proof(self, index: int) -> bytes:
        """The `.tlog-proof` of one entry to the newest checkpoint.

        Raises:
            NotFoundError: The entry is not under a published checkpoint yet.
        """
        note = await self.checkpoint()
        return await self._readers.read(lambda _view: entry_proof(self._log_dir, note, index))

    async def export(
        self, principal: Principal, fmt: ExportFormat, query: LogQuery
    ) -> AsyncIterator[bytes]:
        """Stream the log, newest first, at the size of the tree right now; see `guard.exports`.

        Raises:
            AccessDeniedError: The role may not export, or asks for another tenant.
        """
        _require(principal, query, _MAY_EXPORT)
        size, _ = await self._readers.read(lambda view: view.head())
        return self._chunks(
            principal,
            fmt,
            msgspec.structs.replace(query, before=size)
            if isinstance(query, msgspec.Struct)
            else _pinned(query, size),
        )

    async def _chunks(
        self, principal: Principal, fmt: ExportFormat, query: LogQuery
    ) -> AsyncIterator[bytes]:
        writer = FORMATS[fmt]()
        yield writer.head()
        number = 0
        while True:
            page = await self._readers.read(lambda view, q=query: self._page(view, q))
            if not page:
                break
            refs = sorted({ref for entry in page for ref in entry.refs})
            body: dict[str, BodyValue] = {
                "format": fmt.value,
                "chunk": number,
                "rows": len(page),
                "pinned": query.before,
                "first": page[0].index,
                "last": page[-1].index,
            }
            subjects = tuple(SubjectPart(customer=ref) for ref in refs)
            await self._committer.run(
                lambda tx, b=body, s=subjects: self._record(tx, principal, EntryKind.EXPORT, b, s)
            )
            yield writer.rows(page)
            query = _pinned(query, page[-1].index)
            number += 1
        yield writer.tail()

    def _page(self, view: ReadView, query: LogQuery) -> list[OpenedEntry]:
        stored = view.search(query)
        subjects = view.subjects({ref for entry in stored for ref in entry.refs})
        return [open_entry(entry, self._vault, subjects) for entry in stored]

    def _record(
        self,
        tx: Transaction,
        by: Principal,
        kind: EntryKind,
        body: dict[str, BodyValue],
        subjects: tuple[SubjectPart, ...],
    ) -> None:
        event = msgspec.structs.replace(event_by(by, kind, self._clock.now()), body=body)
        tx.record(NewEntry(kind=kind, event=event, subjects=subjects))
