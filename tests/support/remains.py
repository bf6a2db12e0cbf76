"""What is left after an erasure: keys that can still be had, and what was sealed for somebody.

`keys_left` gathers every key below a folder of keys, from the root key down; `Remains` holds what
was ever sealed for one customer, each with the place where it opens, and tries keys on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from guard.errors import ProofError
from guard.ledger.merkle import HASH_SIZE
from guard.ports import ReadView
from guard.rows import SubjectRow
from guard.vault.envelope import KEY_SIZE, OVERHEAD, SEAL_V1, SealKey, place, within
from guard.vault.escrow import Escrow
from guard.vault.keyring import lineage_of
from guard.vault.kms import open_kms

# More generations of a bucket than any test makes.
GENERATIONS = 4


def keys_left(keys: Path) -> list[bytes]:
    """Every key that the folder `keys` still gives, those kept beside the keyring included."""
    kms = open_kms((keys / "root.key").as_uri())
    file = msgspec.json.decode((keys / "keyring.json").read_bytes())
    found = [kms.unwrap(_bytes(key), f"signing/{name}") for name, key in file["signing"].items()]
    tenants = {
        name: kms.unwrap(_bytes(wrapped), f"tenant/{name}")
        for name, wrapped in file["tenants"].items()
    }
    epochs = _below(tenants, "epochs", file["epochs"])
    buckets = _below(tenants, "buckets", file["buckets"])
    found += [*tenants.values(), *epochs.values(), *buckets.values()]
    for kept in Escrow(keys / "rewrapped").buckets():
        bucket = SealKey(buckets[kept.bucket])
        for ref, wrapped in kept.keys.items():
            found.append(bucket.open(wrapped, customer_place(kept.tenant, ref, kept.bucket)))
    return found


def bucket_keys(keys: Path) -> list[bytes]:
    """Of all keys that are left, those that customers' keys are wrapped under."""
    kms = open_kms((keys / "root.key").as_uri())
    file = msgspec.json.decode((keys / "keyring.json").read_bytes())
    tenants = {
        name: kms.unwrap(_bytes(wrapped), f"tenant/{name}")
        for name, wrapped in file["tenants"].items()
    }
    return list(_below(tenants, "buckets", file["buckets"]).values())


def _below(
    tenants: Mapping[str, bytes], table: str, wrapped: Mapping[str, str]
) -> dict[str, bytes]:
    """The keys of a table of the keyring, each opened by the tenant that it is of."""
    return {
        name: opened
        for tenant, key in tenants.items()
        for name, one in wrapped.items()
        if (opened := _open(SealKey(key), _bytes(one), place("keyring", table, tenant, name)))
    }


def customer_place(tenant: str, ref: str, bucket: str) -> bytes:
    """Where a customer's wrapped key belongs."""
    return place(tenant, "subjects", "wrapped_key", ref, bucket)


def own_keys(rows: Iterable[SubjectRow], keys: Sequence[bytes]) -> list[bytes]:
    """The customers' own keys that a copy of the database and `keys` give together."""
    found = []
    for row in rows:
        where = customer_place(row.tenant, row.ref, row.bucket)
        opened = (_open(SealKey(key), row.wrapped_key or b"", where) for key in keys)
        found += [key for key in opened if key is not None]
    return found


def customer_keys(
    content: bytes, keys: Sequence[bytes], row: SubjectRow, *, behind: bytes = b""
) -> list[bytes]:
    """The customer's own key, wherever in `content` one of `keys` opens it.

    With `behind`, only places behind these bytes are tried.
    """
    first = lineage_of(row.bucket)
    names = (first, *(f"{first}.{n}" for n in range(1, GENERATIONS)))
    places = [customer_place(row.tenant, row.ref, name) for name in names]
    mark = behind + SEAL_V1
    size, found, at = OVERHEAD + KEY_SIZE, [], content.find(mark)
    ready = [SealKey(key) for key in keys]
    while at >= 0:
        begin = at + len(behind)
        candidate = content[begin : begin + size]
        for key in ready:
            opened = (_open(key, candidate, where) for where in places)
            found += [one for one in opened if one is not None]
        at = content.find(mark, at + 1)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Bytes that were sealed for a customer, and where they open."""

    content: bytes
    where: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Everything sealed for one customer up to some moment, by what kind of key opens it."""

    row: SubjectRow
    wrapped: tuple[Sealed, ...]
    parts: tuple[Sealed, ...]

    @classmethod
    def of(cls, view: ReadView, ref: str) -> "Remains":
        """What a database holds of the customer now."""
        row = view.subjects({ref})[ref]
        assert row.wrapped_key is not None
        assert row.sealed_key is not None
        size, _ = view.head()
        about = within(place(row.tenant, "entry_subjects", "sealed"), ref.encode())
        parts = [
            Sealed(content=part[HASH_SIZE:], where=within(about, entry.leaf[1:17]))
            for entry in view.entries(0, size)
            for name, part in zip(entry.refs, entry.sealed_subjects, strict=True)
            if name == ref and part is not None and len(part) > HASH_SIZE
        ]
        source = place(row.tenant, "subjects", "sealed_key", ref)
        key = customer_place(row.tenant, ref, row.bucket)
        return cls(
            row=row,
            wrapped=(Sealed(content=row.wrapped_key, where=key),),
            parts=(Sealed(content=row.sealed_key, where=source), *parts),
        )

    def opened(self, keys: Iterable[bytes]) -> list[bytes]:
        """What these keys open, whether at once or by a key that one of them opens."""
        known = list(keys)
        known += _opened(self.wrapped, known)
        return _opened(self.parts, known)

    @property
    def count(self) -> int:
        """How many sealed values there are."""
        return len(self.wrapped) + len(self.parts)

    def found_in(self, content: bytes) -> int:
        """How many of the sealed bytes stand somewhere in `content`."""
        return sum(one.content in content for one in (*self.wrapped, *self.parts))


def _opened(sealed: Iterable[Sealed], keys: Iterable[bytes]) -> list[bytes]:
    ready = [SealKey(key) for key in keys]
    tries = (_open(key, one.content, one.where) for one in sealed for key in ready)
    return [plain for plain in tries if plain is not None]


def _open(key: SealKey, content: bytes, where: bytes) -> bytes | None:
    try:
        return key.open(content, where)
    except ProofError:
        return None


def _bytes(text: str) -> bytes:
    return msgspec.convert(text, bytes)
