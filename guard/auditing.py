"""Who saw whom: the log read both ways, and proven; and each look at it is an entry too.

A look-up writes its own entry before it answers, with the customers it is about. Auditors are
principals like anyone else: each is answered from their own scope (the whole tenant, or their own
region, vendor or team), and the rows of another region stay there; of those they get a count, and
only up to a bound. Files of the log are `guard.exporting`'s business.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from guard.clock import Clock
from guard.entries import (
    BodyValue,
    EntryKind,
    NewEntry,
    OpenedEntry,
    StoredEntry,
    SubjectPart,
    event_by,
)
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.ledger.backlog import caught_up
from guard.ledger.checkpoint import parse_text
from guard.ledger.entry import open_entry
from guard.ledger.note import parse_note
from guard.ledger.proofs import Proofs
from guard.ledger.tiles import TileFolder
from guard.log_scope import is_of, is_within, narrowed, scoped
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import LogAnswer, LogCount, LogQuery, living
from policies.model import Role

MAX_PAGE = 500
# Of what lies in other regions an auditor learns how much it is up to here, then "more than".
MOST_COUNTED = 1_000
MAX_REASON = 2_000
_MAY_READ = frozenset({Role.AUDITOR, Role.ANALYST, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLog:
    """Where the published log lies."""

    log_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A page of the log. `following`: the next one's `before`, None at the end.

    `elsewhere` counts the answers that stay in other regions; None on later pages and for who is
    answered from all regions or from their own alone.
    """

    entries: list[OpenedEntry]
    following: int | None
    elsewhere: LogCount | None = None


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
        self._published = TileFolder(log.log_dir)

    async def views(self, principal: Principal, query: LogQuery, reason: str = "") -> LogPage:
        """A page of the log, newest first; the look-up itself is recorded first.

        Raises:
            AccessDeniedError: The role may not read the log, or asks for what is not theirs.
            InvalidRequestError: The page is too large, or an agent is named without a `reason`.
            NotFoundError: The customer's reference is unknown.
            StoreUnavailableError: The tree is behind what is durable.
        """
        _require(principal, query, _MAY_READ)
        if not 0 < query.limit <= MAX_PAGE:
            raise InvalidRequestError(f"a page holds 1 to {MAX_PAGE} entries")
        reason = _checked(reason, is_needed=query.agent_id is not None)
        own, elsewhere = scoped(principal, query)
        body: dict[str, BodyValue] = {"about": query.agent_id or "", "limit": query.limit}
        refs = () if query.ref is None else (query.ref,)
        await self._note(principal, EntryKind.AUDIT_QUERY, body | narrowed(query), refs, reason)
        # The answer holds whatever was answered before it was asked for, and this note.
        await caught_up(self._readers)

        def look(view: ReadView) -> LogPage:
            found = LogAnswer(entries=[], following=None) if own is None else view.answer(own)
            return LogPage(
                entries=self._opened(view, found.entries),
                following=found.following,
                elsewhere=None if elsewhere is None else view.count(elsewhere, MOST_COUNTED),
            )

        return await self._readers.read(look)

    async def entry(self, principal: Principal, where: int | bytes) -> OpenedEntry:
        """One entry of the log, by index or id; looking is recorded first.

        Raises:
            AccessDeniedError: The role may not read the log, or not this part of it.
            NotFoundError: There is none in the caller's tenant.
            StoreUnavailableError: The tree is behind what is durable.
        """
        query = LogQuery(tenant=principal.tenant)
        _require(principal, query, _MAY_READ)
        await caught_up(self._readers)
        index = where if isinstance(where, int) else await self._index_of(where)
        found = [] if index is None else await self._readers.read(lambda v: v.entries(index, 1))
        own, _ = scoped(principal, query)
        stored = next(iter(found), None)
        if stored is None or stored.index != index or not is_of(stored, principal.tenant):
            raise NotFoundError("no such entry")
        if own is None or not is_within(stored, own):
            raise AccessDeniedError("this entry is not of the part of the log that is yours")
        body: dict[str, BodyValue] = {"entry": stored.leaf[1:17].hex()}
        await self._note(principal, EntryKind.AUDIT_QUERY, body, set(stored.refs))
        opened = await self._readers.read(lambda view: self._opened(view, [stored]))
        return opened[0]

    async def checkpoint(self) -> bytes:
        """The published checkpoint, a C2SP signed note with what witnesses gave for it.

        The store may be ahead of it: of the files, where another broker signs, and of a quorum.

        Raises:
            NotFoundError: Nothing has been published yet.
            ProofError: The file cannot be read.
        """
        note = await asyncio.to_thread(self._published.published)
        if note is None:
            raise NotFoundError("no checkpoint is published yet: try again in a second")
        return note

    async def proof(self, where: int | bytes) -> bytes:
        """The `.tlog-proof` of one entry, by index or id, to the published checkpoint.

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

    async def _note(
        self,
        by: Principal,
        kind: EntryKind,
        body: dict[str, BodyValue],
        refs: Collection[str],
        reason: str = "",
    ) -> None:
        """Record a look at the log, with the customers it is about, before it is answered.

        What was typed may name a customer: where there is one, it lies under their key.
        """
        if reason and not refs:
            body = body | {"reason": reason}
        event = msgspec.structs.replace(event_by(by, kind, self._clock.now()), body=body)

        def work(tx: Transaction) -> None:
            known = tx.rows.subjects(refs)
            if any(ref not in known or known[ref].tenant != by.tenant for ref in refs):
                raise NotFoundError("unknown customer reference")
            subjects = tuple(
                SubjectPart(customer=ref, reason=reason) for ref in living(known, refs)
            )
            tx.record(NewEntry(kind=kind, event=event, subjects=subjects))

        await self._committer.run(work)

    def _opened(self, view: ReadView, stored: Sequence[StoredEntry]) -> list[OpenedEntry]:
        subjects = view.subjects({ref for entry in stored for ref in entry.refs})
        return [open_entry(entry, self._vault, subjects) for entry in stored]


def _require(principal: Principal, query: LogQuery, roles: frozenset[Role]) -> None:
    if principal.role not in roles:
        raise AccessDeniedError("an auditor or administrator reads the log")
    if query.tenant != principal.tenant:
        raise AccessDeniedError("the log of another tenant is that tenant's to read")


def _checked(reason: str, *, is_needed: bool) -> str:
    reason = reason.strip()
    if is_needed and not reason:
        raise InvalidRequestError("say why you ask about an agent: `reason`")
    if len(reason) > MAX_REASON:
        raise InvalidRequestError(f"a `reason` holds up to {MAX_REASON} characters")
    return reason
