"""A customer's own history: who looked at their record, when and what for, by role.

It is asked for by a portal that knows its customer; which one, it asserts. The page is a signed
document. Records that were merged are one person's: the history follows them. It never names
anybody, never gives an internal reason, and reading it is an entry before it is answered.

Refusals are left out: they showed nothing, and which tries were stopped is the business of
security. What is held back is left out too (`hold_backs`), without a gap that would tell of it:
pages are filled up, and every document says as of when it was true.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import msgspec

from guard.clock import Clock, Micros, to_rfc3339
from guard.entries import EntryKind, NewEntry, OpenedEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.history.document import HistoryDocument, HistoryRow, sign_history
from guard.history.hold_backs import in_force, is_held
from guard.history.words import ACTS, purpose_in_words, role_in_words, shown_in_clear
from guard.ledger.entry import open_entry
from guard.ledger.merkle import CompactRange
from guard.ledger.note import NoteSigner
from guard.merges import RELATION
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import HoldBackRow, LogQuery
from policies.model import Role

SCOPE = "history:read"
MAX_PAGE = 100
# Read ahead of what is shown, so that a few rows that are left out cost no further statement.
SPARE = 20
# Records that one person has; more is no merge but a mistake, and not followed.
MAX_RECORDS = 32
STATEMENT = (
    "who looked at your record as far as the law lets us tell you today; what it lets us keep back"
    " for a time is added when that time is over"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """A page: the document, the same signed, and behind which index the next one begins."""

    document: HistoryDocument
    note: bytes
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was found in one snapshot."""

    rows: tuple[HistoryRow, ...]
    next: int | None
    is_held: bool
    size: int
    root: str


class CustomerHistory:
    """Answers portals."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        signer: NoteSigner,
        notice: str = "",
    ) -> None:
        """Sign with `signer`; `notice` is said where something is held back (empty: nothing is)."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._signer, self._notice = vault, signer, notice

    async def page(
        self, principal: Principal, ref: str, *, before: int | None, limit: int
    ) -> HistoryPage:
        """A page of one customer's history, newest first; asking is an entry before it.

        Raises:
            AccessDeniedError: The caller is no service with that scope.
            InvalidRequestError: The page is too large.
            NotFoundError: The reference is unknown, or the customer was erased.
        """
        require_portal(principal, SCOPE)
        if not 0 < limit <= MAX_PAGE:
            raise InvalidRequestError(f"a page holds 1 to {MAX_PAGE} rows")
        now = self._clock.now()
        event = msgspec.structs.replace(
            event_by(principal, EntryKind.HISTORY, now), body={"of": "customer", "limit": limit}
        )

        def work(tx: Transaction) -> tuple[str, ...]:
            refs = records_of(tx.rows, principal.tenant, ref)
            subjects = tuple(SubjectPart(customer=one) for one in refs)
            tx.record(NewEntry(kind=EntryKind.HISTORY, event=event, subjects=subjects))
            return refs

        refs = await self._committer.run(work)
        query = LogQuery(
            tenant=principal.tenant, kinds=tuple(ACTS), before=before, limit=limit + SPARE
        )
        look = await self._readers.read(lambda view: self._look(view, query, refs, limit, now))
        document = HistoryDocument(
            origin=self._signer.verifier.name,
            size=look.size,
            root=look.root,
            customer=ref,
            as_of=to_rfc3339(now),
            statement=STATEMENT,
            notice=self._notice if look.is_held else "",
            complete=look.next is None,
            rows=look.rows,
        )
        return HistoryPage(
            document=document, note=sign_history(document, self._signer), next=look.next
        )

    def _look(
        self, view: ReadView, query: LogQuery, refs: Collection[str], limit: int, now: Micros
    ) -> _Look:
        holds = in_force(view.hold_backs(query.tenant, now), now)
        rows: list[HistoryRow] = []
        held, last = False, -1
        following: int | None = None
        for entry in entries_about(view, self._vault, query, refs):
            if is_entry_held(holds, entry, refs):
                held = True
            elif len(rows) == limit:
                following = last
                break
            else:
                rows.append(_row(entry, lambda case: _channel(view, query.tenant, case)))
            last = entry.index
        tree = CompactRange(*view.head())
        return _Look(
            rows=tuple(rows),
            next=following,
            is_held=held,
            size=tree.size,
            root=tree.root().hex(),
        )


def require_portal(principal: Principal, scope: str) -> None:
    """Refuse everybody but a service of its own name with `scope`.

    Raises:
        AccessDeniedError: It is a person, an AI agent, or lacks the scope.
    """
    if principal.role is not Role.SERVICE or principal.actor is not None:
        raise AccessDeniedError("a portal asks for its customers: people read the log")
    if scope not in principal.scopes:
        raise AccessDeniedError(f"this credential may not ask for customers: `{scope}`")


def records_of(view: ReadView, tenant: str, ref: str) -> tuple[str, ...]:
    """The references of one person: `ref`, and what was merged with it; erased ones are left out.

    Raises:
        NotFoundError: `ref` is unknown in the tenant, or its customer was erased.
    """
    subject = view.subject(tenant, ref)
    if subject is None or subject.wrapped_key is None:
        raise NotFoundError("unknown customer reference")
    found, waiting = [ref], [ref]
    while waiting and len(found) < MAX_RECORDS:
        for row in view.related(tenant, waiting.pop()):
            if row.kind == RELATION and row.other not in found:
                found.append(row.other)
                waiting.append(row.other)
    known = view.subjects(found)
    return tuple(one for one in found if one in known and known[one].wrapped_key is not None)


def entries_about(
    view: ReadView, vault: DetailVault, query: LogQuery, refs: Collection[str]
) -> Iterator[OpenedEntry]:
    """Entries about any of `refs`, each once, newest first, from `query.before` on."""
    subjects = view.subjects(refs)
    while True:
        pages = [view.search(replace(query, ref=ref)) for ref in refs]
        # Below the last of a full page there may be more of that customer.
        floor = max((page[-1].index for page in pages if len(page) == query.limit), default=-1)
        found = {stored.index: stored for page in pages for stored in page}
        for index in sorted((i for i in found if i >= floor), reverse=True):
            yield open_entry(found[index], vault, subjects)
        if floor < 0:
            return
        query = replace(query, before=floor)


def is_entry_held(
    holds: Collection[HoldBackRow], entry: OpenedEntry, refs: Collection[str]
) -> bool:
    """Whether an entry is held back from the person whose records `refs` are."""
    event = entry.event
    return is_held(holds, event.at, (event.agent, event.actor), refs)


def _row(entry: OpenedEntry, channel_of: Callable[[str], str]) -> HistoryRow:
    event = entry.event
    told = event.body.get("channel")
    case = next((part.case for part in entry.subjects if part is not None and part.case), "")
    return HistoryRow(
        entry=entry.entry_id,
        at=to_rfc3339(event.at),
        act=ACTS[entry.kind],
        purpose=purpose_in_words(event),
        channel=told if isinstance(told, str) else channel_of(case),
        role=role_in_words(event),
        clear=shown_in_clear(entry.kind, event),
    )


def _channel(view: ReadView, tenant: str, case: str) -> str:
    found = view.case(tenant, case) if case else None
    return "" if found is None else found.channel
