"""Entries that are durable and have no place yet, as a second writer on PostgreSQL leaves them."""

from guard.clock import Micros
from guard.entries import EntryKind, EventPart, NewEntry, SubjectPart
from guard.ledger.entry import Sealer
from guard.store import SqlStore
from guard.store.entries import placed
from guard.store.pending import _pending_row
from guard.store.statements import WriteSession
from guard.store.tables import pending
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from tests.support.makers import TENANT

WRITER = b"writer-2"


def wait(store: SqlStore, keyring: Keyring, refs: tuple[str, ...], now: Micros) -> None:
    """Open a second writer and let it view each of these customers."""
    sealer, next_n = Sealer(EntryVault(keyring), WRITER), dict[str, int]()
    with store.begin() as rows:
        subjects = rows.lock_subjects(refs)
        made = [
            _entry(EntryKind.WRITER_OPEN, now, ()),
            *(_entry(EntryKind.VIEW, now, (r,)) for r in refs),
        ]
        sealed = [
            sealer.seal(new, writer_seq=seq, subjects=subjects, next_n=next_n)
            for seq, new in enumerate(made)
        ]
        assert isinstance(rows, WriteSession)
        rows._add(pending, [_pending_row(placed(one)) for one in sealed])  # noqa: SLF001 - SQLite's own way places at once
        rows.advance_subjects(next_n)


def _entry(kind: EntryKind, at: Micros, refs: tuple[str, ...]) -> NewEntry:
    event = EventPart(at=at, kind=kind.name.lower(), tenant=TENANT, agent="a1", team="team-1")
    return NewEntry(kind=kind, event=event, subjects=tuple(SubjectPart(customer=r) for r in refs))
