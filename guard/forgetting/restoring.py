"""After a restore: the older database knows nobody's erasure, and must forget them all again.

Two things outlive the database: the erasures file, and the published log. An erasure that the file
lacks is found in the published leaves, if the keys were restored too: a customer's next tags are
computed, and followed to the leaf of an `ERASURE` entry. Without the keys there is nothing to find,
because nothing opens.

Customers who shared a bucket with an erased one are pointed at their newer keys, which lie beside
the keyring. All of this comes before anything is served; the `RESTORED` entry follows as soon as
the log can be written, because a database that is behind its published log must not be continued.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from guard.clock import Clock
from guard.entries import SYSTEM, EntryKind, NewEntry, system_event
from guard.errors import KeyUnavailableError, ProofError
from guard.forgetting.erasures import BLIND_BYTES
from guard.forgetting.shredding import Keys, erased
from guard.ledger.checkpoint import parse_text
from guard.ledger.entry import Leaf, decode_leaf
from guard.ledger.note import parse_note
from guard.ledger.tiles import TILE_WIDTH, TileFolder
from guard.ports import DetailVault, ReadView, Transaction, UnitOfWork
from guard.rows import ErasureRow, ErasureState, SubjectRow
from guard.vault.keyring import key_id

T = TypeVar("T")
PAGE = 1_000
# The ground of an erasure that is known by its key alone: the entry that has the real one is lost
# with the rest of the newer database, and is in the company's own file.
REPLAYED = "replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restored database had to be told: how many erasures, and how many newer keys.

    `unnamed` counts published erasures whose customer is not in this copy, or is with a key that
    nothing opens; `unreadable` the customers whose keys are in no keyring.
    """

    erasures: int = 0
    rewrapped: int = 0
    unnamed: int = 0
    unreadable: int = 0

    @property
    def is_needed(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.erasures or self.rewrapped)


@dataclass(slots=True)
class _Wanted:
    """Erasures that the database does not know: by key, and by leaf of the published log."""

    entries: dict[str, str]
    leaves: dict[bytes, Leaf]
    unnamed: set[str]
    done: set[str] = field(default_factory=set)
    unreadable: int = 0


class RestoredStore(Protocol):
    """*Protocol* of a store that nobody serves from yet."""

    def read(self) -> AbstractContextManager[ReadView]:
        """See `Store.read`."""
        ...

    def replay(self, work: Callable[[UnitOfWork], T]) -> T:
        """Commit what an entry already stands for."""
        ...


class Restoring:
    """Replays erasures into a store that nobody serves from yet."""

    def __init__(
        self, store: RestoredStore, clock: Clock, keys: Keys, vault: DetailVault, log_dir: Path
    ) -> None:
        """Look into `keys` and the log published below `log_dir`."""
        self._store, self._clock, self._keys = store, clock, keys
        self._vault, self._folder = vault, TileFolder(log_dir)

    def replay(self) -> Restored:
        """Bring the database to know every erasure; quick where it does already.

        Raises:
            ConfigurationError: The erasures file cannot be read.
            KeyUnavailableError: The keys kept beside the keyring cannot be read.
            StoreUnavailableError: The store cannot be written.
        """
        rewrapped = self._point_at_newer_keys()
        with self._store.read() as view:
            rows = view.erasures_in({ErasureState.RECORDED, ErasureState.DONE})
            newer = self._published(view)
        in_file = self._keys.file.read()
        entries = {e.entry_id for e in in_file} | {row.entry_id for row in rows}
        known = {row.key_id for row in rows}
        wanted = _Wanted(
            entries={e.key_id: e.entry_id for e in in_file if e.key_id not in known},
            leaves=newer,
            unnamed={
                leaf.entry_id.hex()
                for leaf in newer.values()
                if leaf.kind is EntryKind.ERASURE and leaf.entry_id.hex() not in entries
            },
        )
        if wanted.entries or wanted.unnamed:
            self._walk(wanted)
        # The file may be the one that is behind.
        self._keys.file.add(erased(row) for row in rows)
        return Restored(
            erasures=len(wanted.done),
            rewrapped=rewrapped,
            unnamed=len(wanted.unnamed),
            unreadable=wanted.unreadable,
        )

    def _point_at_newer_keys(self) -> int:
        count = 0
        keyring = self._keys.keyring
        keyring.refresh()
        for kept in self._keys.escrow.buckets():
            if not keyring.has_bucket(kept.bucket):
                continue  # the keyring is older than these, and still has what the rows need
            earlier = [name for name in keyring.generations(kept.bucket) if name != kept.bucket]
            with self._store.read() as view:
                newer = [
                    replace(one, bucket=kept.bucket, wrapped_key=kept.keys[one.ref])
                    for one in view.members(earlier)
                    if one.ref in kept.keys and not keyring.has_bucket(one.bucket)
                ]
            if newer:
                self._store.replay(partial(_rewrap, newer=newer))
            count += len(newer)
        return count

    def _published(self, view: ReadView) -> dict[bytes, Leaf]:
        """Leaves of the published log behind the end of this database, by tag."""
        try:
            note = self._folder.checkpoint.read_bytes()
        except OSError:
            return {}
        size, _ = view.head()
        published = parse_text(parse_note(note).text).size
        leaves: dict[bytes, Leaf] = {}
        for start in range(size - size % TILE_WIDTH, published, TILE_WIDTH):
            width = min(TILE_WIDTH, published - start)
            for leaf in map(decode_leaf, self._folder.leaves(start // TILE_WIDTH, width)):
                leaves[leaf.tag] = leaf
        return leaves

    def _walk(self, wanted: _Wanted) -> None:
        after: str | None = ""
        while after is not None:
            after = self._store.replay(partial(self._page, after=after, wanted=wanted))

    def _page(self, rows: UnitOfWork, *, after: str, wanted: _Wanted) -> str | None:
        """Forget whom the customers behind `after` have among them; the last of these."""
        page = rows.living_after(after, PAGE)
        for one in page:
            entry_id = self._erased_by(one, wanted)
            if entry_id is not None:
                rows.forget_subject(one.tenant, one.ref, secrets.token_bytes(BLIND_BYTES))
                rows.put_erasure(self._row(one, entry_id))
                wanted.done.add(one.ref)
                wanted.unnamed.discard(entry_id)
        return page[-1].ref if page else None

    def _erased_by(self, one: SubjectRow, wanted: _Wanted) -> str | None:
        """The entry by which a customer was erased, hex; None: nobody says so."""
        entry_id = wanted.entries.get(key_id(one.tenant, one.ref))
        if entry_id is not None or not wanted.unnamed:
            return entry_id
        try:
            return self._follow(one, wanted.leaves)
        except (KeyUnavailableError, ProofError):
            wanted.unreadable += 1
            return None

    def _follow(self, one: SubjectRow, leaves: Mapping[bytes, Leaf]) -> str | None:
        """Follow a customer's numbers through the published leaves, to its erasure if there is one.

        What was asked for together with the erasure may stand behind it.
        """
        n = one.next_n
        while (leaf := leaves.get(self._vault.tag(one, n))) is not None:
            if leaf.kind is EntryKind.ERASURE:
                return leaf.entry_id.hex()
            n += 1
        return None

    def _row(self, one: SubjectRow, entry_id: str) -> ErasureRow:
        now = self._clock.now()
        return ErasureRow(
            id="er-" + secrets.token_hex(6),
            tenant=one.tenant,
            ref=one.ref,
            ground=REPLAYED,
            state=ErasureState.RECORDED,
            proposed_by=SYSTEM,
            proposed_at=now,
            bucket=one.bucket,
            key_id=key_id(one.tenant, one.ref),
            entry_id=entry_id,
            is_noted=False,
        )


def note_restored(tx: Transaction, clock: Clock) -> int:
    """Write the `RESTORED` entry of each tenant whose erasures were replayed; how many erasures."""
    rows = [row for row in tx.rows.erasures_in(set(ErasureState)) if not row.is_noted]
    size, _ = tx.rows.head()
    for tenant in sorted({row.tenant for row in rows}):
        keys = _keys_of(rows, tenant)
        event = system_event(
            tenant,
            EntryKind.RESTORED,
            clock.now(),
            {"erasures": len(keys), "keys": keys, "size": size},
        )
        tx.record(NewEntry(kind=EntryKind.RESTORED, event=event))
    for row in rows:
        tx.rows.put_erasure(replace(row, is_noted=True))
    return len(rows)


def _rewrap(rows: UnitOfWork, *, newer: Sequence[SubjectRow]) -> None:
    rows.rewrap_subjects(newer)


def _keys_of(rows: Iterable[ErasureRow], tenant: str) -> list[str]:
    return sorted(row.key_id for row in rows if row.tenant == tenant)
