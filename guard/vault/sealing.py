"""Sealing and opening the detail of entries (`guard.ports.DetailVault`).

Event parts are sealed under the tenant's key of the month, subject parts under the customer's own
key. Both are bound to tenant, table, column, subject and entry: a part that is moved to another
entry or customer does not open.
"""

from collections.abc import Callable
from functools import lru_cache

from guard.clock import Micros
from guard.rows import SubjectRow
from guard.vault.envelope import place, within
from guard.vault.keyring import Keyring

ENTRY_ID_SIZE = 16


class EntryVault:
    """The keys that hide an entry's detail. Safe to share between threads."""

    def __init__(self, keyring: Keyring) -> None:
        """Take every key from `keyring`."""
        self._keyring = keyring

    def seal_event(
        self, tenant: str, at: Micros, entry_id: bytes, plain: bytes
    ) -> tuple[str, bytes]:
        """See `DetailVault.seal_event`; the epoch's name is `<tenant>/<year>-<month>`."""
        epoch, key = self._keyring.epoch(tenant, at)
        return epoch, key.seal(plain, _event_place(tenant, epoch, entry_id))

    def open_event(self, tenant: str, epoch: str, entry_id: bytes, sealed: bytes) -> bytes:
        """See `DetailVault.open_event`; changed bytes are a `ChangedBytesError`."""
        key = self._keyring.epoch_key(tenant, epoch)
        return key.open(sealed, _event_place(tenant, epoch, entry_id))

    def event_opener(self, tenant: str, epoch: str) -> Callable[[bytes, bytes], bytes]:
        """See `DetailVault.event_opener`."""
        open_at = self._keyring.epoch_key(tenant, epoch).open
        # The places of one month's parts differ in the entry id alone, which ends them.
        begin = _event_place(tenant, epoch, bytes(ENTRY_ID_SIZE))[:-ENTRY_ID_SIZE]

        def open_part(entry_id: bytes, sealed: bytes) -> bytes:
            return open_at(sealed, begin + entry_id)

        return open_part

    def keep_event(
        self, tenant: str, epoch: str, entry_id: bytes, sealed: bytes
    ) -> tuple[str, bytes]:
        """Seal an event part anew under the epoch that has no end; returns (epoch, sealed)."""
        plain = self.open_event(tenant, epoch, entry_id, sealed)
        kept, key = self._keyring.kept_epoch(tenant)
        return kept, key.seal(plain, _event_place(tenant, kept, entry_id))

    def seal_subject(self, subject: SubjectRow, entry_id: bytes, plain: bytes) -> bytes:
        """See `DetailVault.seal_subject`."""
        key = self._keyring.customer_key(subject).seal_key
        return key.seal(plain, _subject_place(subject, entry_id))

    def open_subject(self, subject: SubjectRow, entry_id: bytes, sealed: bytes) -> bytes:
        """See `DetailVault.open_subject`; changed bytes are a `ChangedBytesError`."""
        key = self._keyring.customer_key(subject).seal_key
        return key.open(sealed, _subject_place(subject, entry_id))

    def tag(self, subject: SubjectRow, n: int) -> bytes:
        """See `DetailVault.tag`."""
        return self._keyring.customer_key(subject).tag(n)

    def tag_key(self, subject: SubjectRow) -> bytes:
        """See `DetailVault.tag_key`."""
        return self._keyring.customer_key(subject).tag_key


# Spelling out a place costs more than the cipher; nearly all of it is the same for a whole month.
@lru_cache(maxsize=1024)
def _events_place(tenant: str, epoch: str) -> bytes:
    return place(tenant, "entries", "sealed_event", epoch)


def _event_place(tenant: str, epoch: str, entry_id: bytes) -> bytes:
    return within(_events_place(tenant, epoch), entry_id)


@lru_cache(maxsize=1024)
def _subjects_place(tenant: str) -> bytes:
    return place(tenant, "entry_subjects", "sealed")


def _subject_place(subject: SubjectRow, entry_id: bytes) -> bytes:
    return within(within(_subjects_place(subject.tenant), subject.ref.encode()), entry_id)
