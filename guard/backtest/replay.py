"""The log, read once and decided again by another bundle.

Facts are closed, so a million requests ask a few hundred different questions: each (facts, act) is
put to the engine once. What is left per entry is to open its event part and to count it under a
small key; keys are folded into the totals when there are many. Memory depends on how many different
facts, teams and confirmed alerts there are, and not on the length of the log.

What was done is taken from the entry, what would be done from the bundle. Budgets, suspensions and
modes are not part of a policy and are not replayed: what they refused stays refused. An entry that
no policy decided is counted by the reason why, and never dropped.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from guard.backtest.known import KnownBad, Standing, known_bad
from guard.backtest.report import Report
from guard.backtest.tally import Alike, Tally
from guard.backtest.verdicts import Verdicts
from guard.clock import Micros
from guard.entries import EntryKind, Outcome, SealedPart
from guard.errors import ProofError
from guard.in_force import InForce
from guard.ledger.entry import event_bytes
from guard.ledger.merkle import HASH_SIZE
from guard.ports import DetailVault, ReadView
from guard.rows import PartQuery

# Kinds of entries that a policy decides about; OBSERVED ones come from elsewhere, and are counted.
DECIDED = (
    EntryKind.VIEW,
    EntryKind.REFUSAL,
    EntryKind.FAILED,
    EntryKind.REVEAL,
    EntryKind.SEARCH,
    EntryKind.VERIFICATION,
    EntryKind.CONTACT,
    EntryKind.OBSERVED,
    EntryKind.LISTED,
    EntryKind.MERGE,
)
# Entries read at once: some 20 ms of work, and under a megabyte.
CHUNK = 1_000
# Different keys counted before they are folded into the totals.
MAX_KEYS = 20_000
FAILED = "failed"
ERASED = "erased with its agent"
_VIEW = EntryKind.VIEW.value
_Key: TypeAlias = tuple[str, str, str, int, str | None, str, bytes]
_NAMES = {kind.value: kind.name.lower() for kind in DECIDED}


class _Part(msgspec.Struct, gc=False):
    """Of an event part, what a replay looks at."""

    at: int
    kind: str
    tenant: str
    agent: str
    actor: str = ""
    team: str = ""
    act: str = "view"
    link: str = ""
    facts_id: str = ""
    bundle: str = ""
    outcome: str = ""
    classes: msgspec.Raw = msgspec.Raw(b"{}")
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Body(msgspec.Struct):
    code: str = ""


_decode = msgspec.json.Decoder(_Part).decode
_decode_body = msgspec.json.Decoder(_Body).decode


class Replay:
    """One bundle over one stretch of one tenant's log; `step` until it says False."""

    def __init__(
        self, policy: InForce, vault: DetailVault, query: PartQuery, known: KnownBad
    ) -> None:
        """Decide by `policy` what `query` reads; `vault` opens it."""
        self._verdicts, self._vault = Verdicts(policy), vault
        self._query, self._known = query, known
        self._after = -1
        # By standing, in its order: an enumeration in a key would cost more than the rest of it.
        self._counts: tuple[dict[_Key, int], ...] = tuple({} for _ in Standing)
        self._tally = Tally()

    @classmethod
    def over(
        cls,
        view: ReadView,
        policy: InForce,
        vault: DetailVault,
        *,
        tenant: str,
        since: Micros,
        until: Micros,
    ) -> "Replay":
        """Prepare to replay what the log holds now in [since, until)."""
        size, _ = view.head()
        query = PartQuery(tenant=tenant, kinds=DECIDED, size=size, since=since, until=until)
        return cls(policy, vault, query, known_bad(view, tenant))

    @property
    def entries(self) -> int:
        """How many entries have been read so far."""
        return self._tally.entries

    def step(self, view: ReadView) -> bool:
        """Replay the next entries; False when there are none left.

        Raises:
            ProofError: An entry does not hold.
            KeyUnavailableError: A key that should be there is not.
        """
        parts = view.event_parts(self._query, self._after, CHUNK)
        if parts:
            self._after = parts[-1].position
            self._tally.entries += len(parts)
            self._add_customers(view, self._take(parts))
        if not parts or sum(map(len, self._counts)) > MAX_KEYS:
            self._fold(view)
        return bool(parts)

    def report(self) -> Report:
        """What came out, once `step` has said False."""
        return self._tally.report(self._verdicts.digest, self._verdicts.decided)

    def _take(self, parts: Sequence[SealedPart]) -> dict[int, tuple[str, str]]:
        """Open and count; of the known bad ones that were shown: (facts, act) by index.

        All that is done a million times is in here, and in as few calls as it can be.
        """
        vault, tenant, standing_of = self._vault, self._query.tenant, self._known.standing
        counts = self._counts
        bad: dict[int, tuple[str, str]] = {}
        for part in parts:
            position, _, kind, _, sealed = part
            if sealed is not None and len(sealed) == HASH_SIZE:
                self._tally.not_replayed[ERASED] += 1
                continue
            event = _decode(event_bytes(part, vault))
            if event.tenant != tenant or event.kind != _NAMES[kind]:
                raise ProofError(
                    f"entry {position}: clear columns contradict the parts", index=position
                )
            was_done = kind == _VIEW or (refused := _refusal(kind, event)) is None
            standing = standing_of(position, event.actor or event.agent, event.link, event.at)
            key = (
                event.facts_id,
                event.act,
                event.team,
                kind,
                None if was_done else refused,
                event.bundle,
                bytes(event.classes),
            )
            alike = counts[standing]
            alike[key] = alike.get(key, 0) + 1
            if standing is Standing.BAD and was_done and event.facts_id:
                bad[position] = (event.facts_id, event.act)
        return bad

    def _add_customers(self, view: ReadView, bad: Mapping[int, tuple[str, str]]) -> None:
        for index, refs in view.refs_of(bad).items():
            self._tally.add_customers(refs, self._verdicts.of(view, *bad[index]))

    def _fold(self, view: ReadView) -> None:
        for standing, counted in zip(Standing, self._counts, strict=True):
            for key, count in counted.items():
                self._add(view, Alike(*key, standing), count)
            counted.clear()

    def _add(self, view: ReadView, alike: Alike, count: int) -> None:
        tally, verdicts = self._tally, self._verdicts
        if not alike.facts_id:
            why = f", {alike.refused}" if alike.refused else ""
            tally.not_replayed[f"no policy decided it: {_NAMES[alike.kind]}{why}"] += count
            return
        verdict = verdicts.of(view, alike.facts_id, alike.act)
        if isinstance(verdict, str):
            tally.not_replayed[verdict] += count
            return
        if alike.facts_id in verdicts.assumed:
            tally.assumed[verdicts.assumed[alike.facts_id]] += count
        looks = verdicts.looks(view, alike.facts_id, alike.act, before=alike.bundle)
        tally.add(alike, verdict, looks, count)


def _refusal(kind: int, event: _Part) -> str | None:
    """Why it was refused or failed, as a code; None: it was done."""
    if kind == EntryKind.FAILED:
        return FAILED
    if kind == EntryKind.REFUSAL or event.outcome == Outcome.REFUSED:
        return _decode_body(event.body).code
    return None
