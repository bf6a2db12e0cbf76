"""The log, read once and decided again by another bundle.

Facts are closed, so a million requests ask a few hundred different questions: each (facts, act) is
put to the engine once. What is left per entry is to open its event part and to count it under a
small key; keys are folded into the totals when there are many. Memory depends on how many different
facts, teams and confirmed alerts there are, and not on the length of the log.

What was done is taken from the entry, what would be done from the bundle. A view whose case came
late is honest by the link that the case gave it; it is decided on the facts as they were, for the
bundle under test would have known no more when it was asked. Budgets, suspensions and
modes are not part of a policy and are not replayed: what they refused stays refused. An entry that
no policy decided is counted by the reason why, and never dropped.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import msgspec

from guard.backtest.known import EXPLAINED, KnownBad, Standing, known_bad
from guard.backtest.report import Report
from guard.backtest.tally import Alike, Tally
from guard.backtest.verdicts import Verdicts
from guard.clock import Micros
from guard.entries import EntryKind, Outcome, SealedPart
from guard.errors import ProofError
from guard.in_force import InForce
from guard.ledger.entry import open_parts
from guard.ports import DetailVault, ReadView
from guard.rows import PartQuery
from policies.model import Permit

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
# Entries read at once: some 20 ms of work, and under two megabytes.
CHUNK = 2_000
# Different keys counted before they are folded into the totals.
MAX_KEYS = 20_000
# Requests of one kind that are decided in one step: the policy takes some milliseconds for each.
FOLDED = 50
FAILED = EntryKind.FAILED.name.lower()
ERASED = "erased with its agent"
_Key: TypeAlias = tuple[str, str, str, int, str | None, str, bytes]
_NAMES = {kind.value: kind.name.lower() for kind in DECIDED}
_VIEW, _REFUSAL = _NAMES[EntryKind.VIEW], _NAMES[EntryKind.REFUSAL]


class _Part(msgspec.Struct, gc=False):
    """Of an event part, what a replay looks at: in the order of `EventPart`, which is faster."""

    at: int
    kind: str
    agent: str
    team: str = ""
    actor: str = ""
    act: str = "view"
    link: str = ""
    classes: msgspec.Raw = msgspec.Raw(b"{}")
    facts_id: str = ""
    bundle: str = ""
    outcome: str = ""
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Body(msgspec.Struct):
    code: str = ""


class _Unclear(NamedTuple):
    """A request of which more must be known than its link says, to judge it."""

    position: int
    who: str
    link: str
    at: Micros
    key: _Key


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
        self._counted: Iterator[tuple[Alike, int]] = iter(())
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
        """Replay the next entries, or decide the next of what they asked; False at the end.

        Either takes a part of a second, so that a service can do it between its readers' deadlines.

        Raises:
            ProofError: An entry does not hold.
            KeyUnavailableError: A key that should be there is not.
        """
        if self._fold(view):
            return True
        parts = view.event_parts(self._query, self._after, CHUNK)
        if parts:
            self._after, *_ = parts[-1]
            self._tally.entries += len(parts)
            self._judge(view, self._take(parts))
        if not parts or sum(map(len, self._counts)) > MAX_KEYS:
            self._counted = iter(
                [
                    (Alike(*key, standing), count)
                    for standing, counted in zip(Standing, self._counts, strict=True)
                    for key, count in counted.items()
                ]
            )
            for counted in self._counts:
                counted.clear()
        return bool(parts) or self._fold(view)

    def report(self) -> Report:
        """What came out, once `step` has said False."""
        return self._tally.report(self._verdicts.digest, self._verdicts.decided)

    def _take(self, parts: Sequence[SealedPart]) -> list[_Unclear]:
        """Open the parts and count what is honest by its link; returns the others.

        All that is done a million times is in here, and in as few calls as it can be.
        """
        honest = self._counts[Standing.HONEST]
        times, evidence = self._known.times, self._known.evidence
        unclear: list[_Unclear] = []
        for position, kind, part in open_parts(parts, self._query.tenant, self._vault):
            if not part:
                self._tally.not_replayed[ERASED] += 1
                continue
            event = _decode(part)
            if event.kind != _NAMES[kind]:
                raise ProofError(
                    f"entry {position}: clear columns contradict the parts", index=position
                )
            key = (
                event.facts_id,
                event.act,
                event.team,
                kind,
                None if event.kind == _VIEW else _refusal(event),
                event.bundle,
                bytes(event.classes),
            )
            who, link = event.actor or event.agent, event.link
            if link in EXPLAINED and who not in times and position not in evidence:
                honest[key] = honest.get(key, 0) + 1
            else:
                unclear.append(_Unclear(position, who, link, event.at, key))
        return unclear

    def _judge(self, view: ReadView, unclear: Sequence[_Unclear]) -> None:
        """Count each request by what is known of it, the link of a late case included."""
        late = view.late_links([one.position for one in unclear])
        self._tally.repaired += len(late)
        bad: dict[int, _Key] = {}
        for position, who, link, at, key in unclear:
            standing = self._known.standing(position, who, late.get(position, link), at)
            alike = self._counts[standing]
            alike[key] = alike.get(key, 0) + 1
            if standing is Standing.BAD:
                bad[position] = key
        self._add_customers(view, bad)

    def _add_customers(self, view: ReadView, bad: Mapping[int, _Key]) -> None:
        """Count whom the known bad requests showed: those that were not refused."""
        shown = {position: key for position, key in bad.items() if key[4] is None and key[0]}
        for position, refs in view.refs_of(shown).items():
            facts_id, act, *_ = shown[position]
            self._tally.add_customers(refs, self._verdicts.of(view, facts_id, act))

    def _fold(self, view: ReadView) -> bool:
        """Decide the next of what was counted; False: there was nothing left."""
        some = list(islice(self._counted, FOLDED))
        for alike, count in some:
            self._add(view, alike, count)
        return bool(some)

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
        # How it looks is worked out for what was shown and would be; nothing else is compared.
        is_shown = alike.refused is None and isinstance(verdict, Permit)
        looks = (
            verdicts.looks(view, alike.facts_id, alike.act, before=alike.bundle)
            if is_shown
            else None
        )
        tally.add(alike, verdict, looks, count)


def _refusal(event: _Part) -> str | None:
    """Why it was refused or failed, as a code; None: it was done."""
    if event.kind == FAILED:
        return FAILED
    if event.kind == _REFUSAL or event.outcome == Outcome.REFUSED:
        return _decode_body(event.body).code
    return None
