"""How long details live, by kind, and the turn that cuts those that have run out.

A detail is cut down to its hashes in batches, each with one `RETENTION` entry that names the
places; then nothing says any more who looked. When a month has nothing left but entries that must
outlive it (what was forgotten, and under which hold), those are sealed anew under a key without an
end and the month's key is destroyed: no copy of the database gives its details back.
"""

import asyncio
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType

from guard.clock import SECOND, Clock, Micros
from guard.entries import BodyValue, EntryKind, NewEntry, SealedPart, system_event
from guard.errors import ConfigurationError
from guard.forgetting.holds import is_held
from guard.ledger.merkle import HASH_SIZE
from guard.ports import Committer, Readers, Transaction
from guard.rows import DueDetail, DueQuery
from guard.vault.keyring import KEPT, Keyring
from guard.vault.sealing import EntryVault

# Thirteen months: a year can be compared with the one before it to the end of its last month.
DEFAULT_MONTHS = 13
# Where the law sets no other: who signed in when, for half a year.
DEFAULT_BY_KIND: Mapping[EntryKind, int] = MappingProxyType(
    {EntryKind.SIGN_IN: 6, EntryKind.CREDENTIAL: 13, EntryKind.AUDIT_QUERY: 13}
)
MAX_MONTHS = 1_200
# Details cut by one transaction and named by one entry.
BATCH = 500
# Later than any entry, in the widest column that the engines have.
NEVER: Micros = 2**63 - 1

# What says how the log itself was kept, and what it has forgotten, is kept as long as the tree.
OUTLIVE = frozenset(
    {
        EntryKind.WRITER_OPEN,
        EntryKind.WRITER_CLOSE,
        EntryKind.GAP,
        EntryKind.RECONCILIATION,
        EntryKind.BUNDLE,
        EntryKind.CLOCK,
        EntryKind.ERASURE,
        EntryKind.RETENTION,
        EntryKind.HOLD,
        EntryKind.RESTORED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """Months that a detail lives after the one in which it was written."""

    months: int = DEFAULT_MONTHS
    by_kind: Mapping[EntryKind, int] = field(default_factory=lambda: DEFAULT_BY_KIND)

    def groups(self) -> dict[int, tuple[EntryKind, ...]]:
        """The kinds that run out, by how many months they live."""
        found: defaultdict[int, list[EntryKind]] = defaultdict(list)
        for kind in EntryKind:
            if kind not in OUTLIVE:
                found[self.by_kind.get(kind, self.months)].append(kind)
        return {months: tuple(kinds) for months, kinds in sorted(found.items())}


def load_retention(document: bytes, name: str) -> RetentionRules:
    """Read the operator's rules: `months`, and a table `kinds` of months by kind.

    Raises:
        ConfigurationError: It is no TOML, names an unknown kind, or months make no sense.
    """
    try:
        table = tomllib.loads(document.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}: no TOML file: {error}") from None
    if unknown := sorted(table.keys() - {"months", "kinds"}):
        raise ConfigurationError(f"{name}: unknown {', '.join(unknown)}: use `months` and `kinds`")
    named = table.get("kinds", {})
    if not isinstance(named, dict):
        raise ConfigurationError(f"{name}: `kinds` must be a table of months by kind")
    by_kind = dict(DEFAULT_BY_KIND)
    for word, months in named.items():
        by_kind[_kind(word, name)] = _months(months, f"{name}: kinds.{word}")
    months = _months(table.get("months", DEFAULT_MONTHS), f"{name}: months")
    return RetentionRules(months=months, by_kind=MappingProxyType(by_kind))


class Retention:
    """Cuts what has run out. `turn` now and then."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: EntryVault,
        keyring: Keyring,
        rules: RetentionRules,
    ) -> None:
        """Write through `committer`, by `rules`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._keyring, self._rules = vault, keyring, rules
        # Up to where nothing is left that will ever be cut, so that no turn reads the past again.
        self._passed: dict[tuple[str, int], int] = {}

    async def turn(self) -> int:
        """Cut all that has run out by now; how many entries.

        Raises:
            StoreUnavailableError: The store cannot be read or written.
        """
        now = self._clock.now()
        count = 0
        for tenant in await asyncio.to_thread(self._keyring.tenants):
            for months, kinds in self._rules.groups().items():
                count += await self._cut(tenant, kinds, months, month_before(now, months))
            await self._end_months(tenant, month_before(now, self._longest()))
        return count

    def _longest(self) -> int:
        return max(self._rules.groups())

    async def _cut(
        self, tenant: str, kinds: tuple[EntryKind, ...], months: int, before: Micros
    ) -> int:
        count, place = 0, (tenant, months)
        after = start = self._passed.get(place, -1)
        while True:
            query = DueQuery(tenant=tenant, kinds=kinds, before=before, after=after, limit=BATCH)
            due = await self._readers.read(lambda view, query=query: view.due(query))  # type: ignore[misc] # a default of a lambda has no type
            if not due:
                break
            held = await self._committer.run(
                lambda tx, query=query: self._cut_batch(tx, query, months)  # type: ignore[misc] # as above
            )
            after = due[-1].index
            count += len(due) - held
        # Places are not in order of time: what is held or not due yet may lie before what was cut.
        rest = replace(query, before=NEVER, after=start, limit=1)
        left = await self._readers.read(lambda view: view.due(rest))
        self._passed[place] = left[0].index - 1 if left else after
        return count

    def _cut_batch(self, tx: Transaction, query: DueQuery, months: int) -> int:
        """Cut a batch and write its entry; how many are held."""
        tx.rows.settle()
        due = tx.rows.due(query)
        holds = tx.rows.holds_in_force(query.tenant)
        free = [one for one in due if not is_held(holds, one)]
        if free:
            tx.rows.cut_details([one.index for one in free])
            body: dict[str, BodyValue] = {
                "entries": len(free),
                "places": spans(free),
                "months": months,
                "before": query.before,
            }
            event = system_event(query.tenant, EntryKind.RETENTION, self._clock.now(), body)
            tx.record(NewEntry(kind=EntryKind.RETENTION, event=event))
        return len(due) - len(free)

    async def _end_months(self, tenant: str, before: Micros) -> None:
        """Destroy the keys of months in which nothing is left that must still be opened."""
        for epoch in await asyncio.to_thread(self._keyring.epochs_of, tenant):
            month = epoch.rpartition("/")[2]
            if month == KEPT or month_start(month, 1) > before:
                continue
            if await self._keep(epoch):
                await asyncio.to_thread(self._keyring.destroy_epoch, epoch)

    async def _keep(self, epoch: str) -> bool:
        """Seal anew what outlives a month; False: something of it is held, or still to be cut."""
        month = epoch.rpartition("/")[2]
        since, until = month_start(month, 0), month_start(month, 1)

        def work(tx: Transaction) -> bool | None:
            tx.rows.settle()
            parts = tx.rows.parts_of_epoch(epoch, since, until, BATCH)
            if any(EntryKind(kind) not in OUTLIVE for _, _, kind, _, _ in parts):
                return False
            tx.rows.reseal_events([self._resealed(part) for part in parts])
            return True if not parts else None

        while True:
            outcome = await self._committer.run(work)
            if outcome is not None:
                return outcome

    def _resealed(self, part: SealedPart) -> tuple[int, str, bytes]:
        index, entry_id, _, epoch, stored = part
        whole = bytes(stored or b"")
        tenant = epoch.rpartition("/")[0]
        kept, sealed = self._vault.keep_event(tenant, epoch, bytes(entry_id), whole[HASH_SIZE:])
        return index, kept, whole[:HASH_SIZE] + sealed


def month_before(now: Micros, months: int) -> Micros:
    """The start of the month that lies `months` before that of `now`."""
    moment = datetime.fromtimestamp(now // SECOND, UTC)
    return _start(moment.year * 12 + moment.month - 1 - months)


def month_start(month: str, after: int) -> Micros:
    """The start of the month (`2026-11`), or of the one `after` months later."""
    year, _, number = month.partition("-")
    return _start(int(year) * 12 + int(number) - 1 + after)


def _start(months: int) -> Micros:
    year, month = divmod(months, 12)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp()) * SECOND


def spans(details: Sequence[DueDetail]) -> list[int]:
    """Places in index order as first and last of each unbroken run, one behind the other."""
    places = [one.index for one in details]
    breaks = [pair for pair in pairwise(places) if pair[1] != pair[0] + 1]
    return [places[0], *(place for pair in breaks for place in pair), places[-1]]


def _kind(word: str, name: str) -> EntryKind:
    found = next((kind for kind in EntryKind if kind.name.lower() == word), None)
    if found is None or found in OUTLIVE:
        known = ", ".join(_words(kind for kind in EntryKind if kind not in OUTLIVE))
        raise ConfigurationError(f"{name}: `{word}` has no retention of its own: use {known}")
    return found


def _words(kinds: Iterable[EntryKind]) -> list[str]:
    return sorted(kind.name.lower() for kind in kinds)


def _months(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_MONTHS:
        raise ConfigurationError(f"{where}: must be 1 to {MAX_MONTHS} months")
    return value
