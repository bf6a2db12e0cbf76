"""What of the log may be missing: what entries say was forgotten, for whoever checks the rest.

A part that is gone is right only where an `ERASURE`, `RESTORED` or `RETENTION` entry says so. Any
other one is lost, or was taken away to hide a view.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from guard.entries import EntryKind, OpenedEntry, SealedPart
from guard.errors import ProofError
from guard.ledger.entry import open_parts
from guard.ports import DetailVault, ReadView
from guard.rows import PartQuery
from guard.vault.keyring import key_id

KINDS = (EntryKind.ERASURE, EntryKind.RETENTION, EntryKind.RESTORED)
# Entries read at a time; there is one for each erasure and for each batch of retention.
CHUNK = 2_000
_FOR_EVER = 2**63 - 1


class _Body(msgspec.Struct):
    keys: tuple[str, ...] = ()
    places: tuple[int, ...] = ()


class _Part(msgspec.Struct):
    tenant: str
    body: _Body = msgspec.field(default_factory=_Body)


_decode = msgspec.json.Decoder(_Part).decode


@dataclass(slots=True)
class Forgotten:
    """Whose parts, and which entries' details, may be gone. Fill it by `read` or by `follow`."""

    _keys: set[tuple[str, str]] = field(default_factory=set)
    _spans: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def read(cls, view: ReadView, vault: DetailVault, tenants: Iterable[str]) -> "Forgotten":
        """What the entries of these tenants say.

        Raises:
            ProofError: One of them was changed or lost.
            KeyUnavailableError: The key of its month is gone.
        """
        forgotten = cls()
        size, _ = view.head()
        for tenant in tenants:
            query = PartQuery(tenant=tenant, kinds=KINDS, size=size, since=0, until=_FOR_EVER)
            after = -1
            while parts := view.event_parts(query, after, CHUNK):
                forgotten._take(parts, tenant, vault)
                after, *_ = parts[-1]
        return forgotten

    def _take(self, parts: list[SealedPart], tenant: str, vault: DetailVault) -> None:
        for index, _, text in open_parts(parts, tenant, vault):
            if not text:
                raise ProofError(f"entry {index}: says what was forgotten and is gone", index=index)
            self._add(tenant, _decode(text).body)

    def follow(self, entry: OpenedEntry) -> None:
        """Take in one entry, of any kind."""
        if entry.kind in KINDS:
            self._add(entry.event.tenant, msgspec.convert(entry.event.body, _Body))

    def _add(self, tenant: str, body: _Body) -> None:
        self._keys.update((tenant, key) for key in body.keys)
        places = iter(body.places)
        for first, last in zip(places, places, strict=True):
            insort(self._spans, (first, last))

    def may_lack_subject(self, tenant: str, ref: str, index: int) -> bool:
        """Whether the part of entry `index` about this customer may be gone."""
        return (tenant, key_id(tenant, ref)) in self._keys or self.may_lack_event(index)

    def may_lack_event(self, index: int) -> bool:
        """Whether the whole detail of entry `index` may be gone: it has run out."""
        # Spans do not overlap, unless a restored detail was cut again, in the same batches or less.
        found = bisect_right(self._spans, (index, _FOR_EVER))
        return any(first <= index <= last for first, last in self._spans[max(0, found - 2) : found])
