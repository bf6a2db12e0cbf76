"""Entries and logs for the tests of the ledger, sealed by the real vault."""

from collections.abc import Sequence
from pathlib import Path

from guard.clock import SECOND, Micros
from guard.entries import EntryKind, EventPart, NewEntry, SealedEntry, StoredEntry, SubjectPart
from guard.ledger.entry import Sealer
from guard.rows import SubjectRow
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.model import Tier

NOW: Micros = 1_764_000_000 * SECOND
WRITER = b"writer-1"


def make_keyring(folder: Path) -> Keyring:
    return Keyring.open(f"file:{folder / 'keys' / 'root.key'}", folder / "keys" / "keyring.json")


def make_subject(keyring: Keyring, source_key: str = "100234", tenant: str = "acme") -> SubjectRow:
    return keyring.new_subject(tenant, "eu", "crm", source_key, Tier.STANDARD, is_decoy=False)


def make_entry(
    kind: EntryKind = EntryKind.VIEW, at: Micros = NOW, customers: Sequence[SubjectRow] = ()
) -> NewEntry:
    event = EventPart(
        at=at,
        kind=kind.name.lower(),
        tenant="acme",
        agent="u-17",
        team="returns",
        purpose="support_case",
        outcome="permitted",
    )
    parts = tuple(SubjectPart(customer=one.ref, case="case-9", reason="call") for one in customers)
    return NewEntry(kind=kind, event=event, subjects=parts)


def stored(sealed: SealedEntry, index: int) -> StoredEntry:
    return StoredEntry(
        index=index,
        leaf=sealed.leaf,
        leaf_hash=sealed.leaf_hash,
        epoch=sealed.epoch,
        sealed_event=sealed.sealed_event,
        refs=sealed.refs,
        sealed_subjects=sealed.sealed_subjects,
    )


class LogMaker:
    """A log of one writer, as the store would give it back."""

    def __init__(self, folder: Path, writer: bytes = WRITER) -> None:
        self.keyring = make_keyring(folder)
        self.vault = EntryVault(self.keyring)
        self.subject = make_subject(self.keyring)
        self.subjects = {self.subject.ref: self.subject}
        self.entries: list[StoredEntry] = []
        self._sealer, self._seq, self._next_n = Sealer(self.vault, writer), 0, dict[str, int]()

    def add(self, new: NewEntry) -> StoredEntry:
        sealed = self._sealer.seal(
            new, writer_seq=self._seq, subjects=self.subjects, next_n=self._next_n
        )
        self._seq += 1
        self.entries.append(stored(sealed, len(self.entries)))
        return self.entries[-1]

    def grow(self, size: int) -> "LogMaker":
        while len(self.entries) < size:
            at = NOW + len(self.entries)
            if not self.entries:
                self.add(make_entry(EntryKind.WRITER_OPEN, at))
            else:
                self.add(make_entry(EntryKind.VIEW, at, [self.subject]))
        return self
