"""What is logged about somebody who works here, for themselves: agents are data subjects too.

One's own acts, counted by day, purpose and grade; who looked at one's log or took it out, by role;
responses against one's access; how long all of it is kept. No names: whoever checks the log must be
able to, and a team knows its auditors. What an investigation holds back (`hold_backs`) appears when
it ends. Reading it is an entry before it is answered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from guard.clock import DAY, Clock, Micros, to_rfc3339
from guard.entries import EntryKind, NewEntry, OpenedEntry, event_by
from guard.errors import AccessDeniedError, InvalidRequestError
from guard.history.document import OwnHistoryDocument, sign_history
from guard.history.hold_backs import in_force, is_held
from guard.history.words import DISPUTABLE, role_in_words
from guard.ledger.entry import open_entry
from guard.ledger.merkle import CompactRange
from guard.ledger.note import NoteSigner
from guard.ports import Committer, DetailVault, Readers, ReadView
from guard.principals import Principal
from guard.rows import ActivityRow, HoldBackRow, LogQuery, ResponseRow
from policies.model import Role

MAX_SPAN: Micros = 92 * DAY
DEFAULT_SPAN: Micros = 28 * DAY
_ACTS = tuple(sorted({*DISPUTABLE, EntryKind.REFUSAL, EntryKind.FAILED}))
_LOOK_UPS = (EntryKind.AUDIT_QUERY, EntryKind.EXPORT)
CHUNK = 500
_LOOKING = frozenset({Role.AUDITOR, Role.ANALYST, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Somebody read the log about the caller, or took it out: when, and what that somebody is."""

    at: Micros
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHistory:
    """What is logged about the caller in [since, until), in a log of `size` and `root`."""

    since: Micros
    until: Micros
    as_of: Micros
    activity: tuple[ActivityRow, ...]
    look_ups: tuple[LookUp, ...]
    responses: tuple[ResponseRow, ...]
    retention: str
    size: int
    root: str


class OwnHistories:
    """Answers everybody about themselves."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        retention: str,
        signer: NoteSigner,
    ) -> None:
        """Read through `readers`; `retention` says in a sentence how long entries are kept."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._retention, self._signer = vault, retention, signer

    async def mine(
        self, principal: Principal, *, since: Micros | None = None, until: Micros | None = None
    ) -> OwnHistory:
        """What is logged about the caller, the last four weeks if no time is named.

        Raises:
            AccessDeniedError: An AI agent asks: what is about a person is that person's to read.
            InvalidRequestError: The stretch ends before it begins, or is longer than 92 days.
        """
        if principal.actor is not None:
            raise AccessDeniedError("only the person reads this: ask without an AI agent")
        now = self._clock.now()
        until = now + 1 if until is None else until
        since = until - DEFAULT_SPAN if since is None else since
        if not 0 < until - since <= MAX_SPAN:
            days = MAX_SPAN // DAY
            raise InvalidRequestError(f"ask for 1 to {days} days, in the order of time")
        event = msgspec.structs.replace(
            event_by(principal, EntryKind.HISTORY, now),
            body={"of": "own", "since": since, "until": until},
        )
        entry = NewEntry(kind=EntryKind.HISTORY, event=event)
        await self._committer.run(lambda tx: tx.record(entry))
        asked = LogQuery(
            tenant=principal.tenant, kinds=_LOOK_UPS, since=since, until=until, limit=CHUNK
        )

        def look(view: ReadView) -> OwnHistory:
            holds = in_force(view.hold_backs(principal.tenant, now), now)
            tree = CompactRange(*view.head())
            return OwnHistory(
                since=since,
                until=until,
                as_of=now,
                activity=tuple(view.activity(principal.tenant, principal.id, _ACTS, since, until)),
                look_ups=tuple(self._look_ups(view, principal.id, asked, holds)),
                responses=tuple(_responses(view, principal, since, until)),
                retention=self._retention,
                size=tree.size,
                root=tree.root().hex(),
            )

        return await self._readers.read(look)

    def sign(self, principal: Principal, mine: OwnHistory, said: Mapping[str, object]) -> bytes:
        """The caller's history as a signed document, in the words in which it is answered."""
        document = OwnHistoryDocument(
            origin=self._signer.verifier.name,
            size=mine.size,
            root=mine.root,
            person=principal.id,
            as_of=to_rfc3339(mine.as_of),
            history=said,
        )
        return sign_history(document, self._signer)

    def _look_ups(
        self, view: ReadView, me: str, query: LogQuery, holds: tuple[HoldBackRow, ...]
    ) -> list[LookUp]:
        mine = [row for row in holds if row.agent_id == me]
        found = [
            entry
            for entry in self._entries(view, query)
            if entry.event.body.get("about") == me and not is_held(mine, entry.event.at, (me,), ())
        ]
        found.sort(key=lambda entry: entry.index)
        return [LookUp(at=one.event.at, role=role_in_words(one.event)) for one in found]

    def _entries(self, view: ReadView, query: LogQuery) -> Iterator[OpenedEntry]:
        """Look-ups by everybody who may make one: a person's entries are found at once."""
        for row in view.principals(query.tenant):
            if row.role not in _LOOKING:
                continue
            asked = replace(query, agent_id=row.id)
            while page := view.search(asked):
                for stored in page:
                    # Whom else it was about is nobody's business here: no subject part is opened.
                    yield open_entry(stored, self._vault, {})
                asked = replace(asked, before=page[-1].index)


def _responses(
    view: ReadView, principal: Principal, since: Micros, until: Micros
) -> Iterator[ResponseRow]:
    for key in principal.keys:
        for row in view.responses(principal.tenant, key=key, active_at=None):
            if row.starts_at < until and (row.ended_at or row.ends_at) >= since:
                yield row
