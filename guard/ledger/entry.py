"""The bytes of an entry: its leaf in the tree, its commitment, and the sealed detail beside it.

The leaf (90 bytes, big-endian, `docs/formats/entry.md`) holds no personal data. Its `commitment` is
the RFC 6962 root over one inner leaf per part, SHA-256(0x00 || nonce || part), so that the part of
one customer can be shown or erased without the others, and nothing can be guessed from a hash.

A stored part is `inner hash (32) || sealed(nonce || part)`. The clear hash in front outlives the
sealed bytes: after an erasure it alone remains, and the commitment is still checked from it. A part
of which not even the hash is left was lost, not erased, and is a `ProofError`.

Part bytes are exact: what was hashed is what is sealed and later parsed, never a re-serialisation.
Keys belong to `guard.vault`, reached through `guard.ports.DetailVault`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from secrets import token_bytes
from struct import Struct, unpack
from typing import TypeAlias

import msgspec

from guard.clock import Micros
from guard.entries import (
    SEARCHED,
    EntryKind,
    EventPart,
    NewEntry,
    OpenedEntry,
    SealedEntry,
    SealedPart,
    StoredEntry,
    SubjectPart,
)
from guard.errors import NotFoundError, ProofError
from guard.ledger.merkle import HASH_SIZE, leaf_hash, node_hash, tree_root
from guard.ports import DetailVault
from guard.rows import SubjectRow

ENTRY_V1 = 1
LEAF_SIZE = 90
NONCE_SIZE = 32
TAG_SIZE = 16
WRITER_SIZE = 8

# Six bytes of milliseconds and ten of chance: ids sort by time, which keeps their index compact.
ENTRY_ID_CLOCK = 6
ENTRY_ID_CHANCE = 10

_LEAF_V1 = Struct(">B16sQB8sQ16s32s")
_pack_v1 = partial(_LEAF_V1.pack, ENTRY_V1)
_STORY_V1 = "x16xQB8sQ16x32x"

# Times, numbers of the kinds, writers and the writers' numbers of many leaves.
Stories: TypeAlias = tuple[tuple[Micros, ...], tuple[int, ...], tuple[bytes, ...], tuple[int, ...]]

_encode = msgspec.json.Encoder().encode
_event_decoder = msgspec.json.Decoder(EventPart)
_subject_decoder = msgspec.json.Decoder(SubjectPart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What the tree holds of an entry."""

    entry_id: bytes
    at: Micros
    kind: EntryKind
    writer: bytes
    writer_seq: int
    tag: bytes
    commitment: bytes


def encode_leaf(leaf: Leaf) -> bytes:
    """The bytes of a leaf, in the newest version."""
    return _pack_v1(
        leaf.entry_id,
        leaf.at,
        leaf.kind,
        leaf.writer,
        leaf.writer_seq,
        leaf.tag,
        leaf.commitment,
    )


def decode_leaf(encoded: bytes) -> Leaf:
    """Read a leaf of any version.

    Raises:
        ProofError: The bytes are no leaf of a version or kind known here.
    """
    match encoded[:1]:
        case b"\x01":
            return _decode_v1(encoded)
        case _:
            raise ProofError("leaf has an unknown version, use a newer verifier")


def _decode_v1(encoded: bytes) -> Leaf:
    if len(encoded) != LEAF_SIZE:
        raise ProofError(f"leaf is {len(encoded)} bytes long instead of {LEAF_SIZE}")
    _, entry_id, at, number, writer, writer_seq, tag, commitment = _LEAF_V1.unpack(encoded)
    try:
        kind = EntryKind(number)
    except ValueError:
        raise ProofError(f"leaf has unknown kind {number}, use a newer verifier") from None
    return Leaf(
        entry_id=entry_id,
        at=at,
        kind=kind,
        writer=writer,
        writer_seq=writer_seq,
        tag=tag,
        commitment=commitment,
    )


def stories(leaves: Sequence[bytes]) -> Stories | None:
    """What each leaf says of its writer, for who walks along all: a column for each thing.

    None where one is not of the newest version: each must then be decoded by itself.
    """
    joined, count = b"".join(leaves), len(leaves)
    is_newest = joined[::LEAF_SIZE] == bytes([ENTRY_V1]) * count
    if not is_newest or set(map(len, leaves)) != {LEAF_SIZE}:
        return None
    # All at once: a quarter of what unpacking one after the other costs.
    told = unpack(">" + _STORY_V1 * count, joined)
    return told[0::4], told[1::4], told[2::4], told[3::4]


def inner_hash(nonce_and_part: bytes) -> bytes:
    """Hash one part, its nonce in front, into a leaf of the commitment's tree."""
    return sha256(b"\x00" + nonce_and_part).digest()


def commit(hashes: list[bytes]) -> bytes:
    """The commitment to these inner hashes, the event part's first."""
    # Nearly every entry is about nobody or one customer; both ways give the same root.
    match hashes:
        case [event]:
            return event
        case [event, subject]:
            return node_hash(event, subject)
        case _:
            return tree_root(hashes)


class Sealer:
    """Makes entries of one writer ready to be appended."""

    def __init__(self, vault: DetailVault, writer: bytes) -> None:
        """Seal with the keys of `vault` under the 8-byte id of this writer."""
        if len(writer) != WRITER_SIZE:
            raise ValueError(f"a writer id has {WRITER_SIZE} bytes")
        self._vault, self._writer = vault, writer

    @property
    def writer(self) -> bytes:
        """The 8-byte id of this writer."""
        return self._writer

    def seal(
        self,
        new: NewEntry,
        *,
        writer_seq: int,
        subjects: Mapping[str, SubjectRow],
        next_n: dict[str, int],
    ) -> SealedEntry:
        """Seal `new` as this writer's entry number `writer_seq`, at the time its event part says.

        `next_n` holds each subject's next number (absent: as its row says) and is advanced in place
        for the subject of an entry with exactly one.

        Raises:
            NotFoundError: A subject is not in `subjects`.
            KeyUnavailableError: A key is missing, or a subject was erased.
        """
        try:
            rows = [subjects[part.customer] for part in new.subjects]
        except KeyError:
            raise NotFoundError("a customer of the entry is unknown, enrol it first") from None
        chance = token_bytes(ENTRY_ID_CHANCE + NONCE_SIZE * (1 + len(rows)))
        clock = (new.event.at // 1000).to_bytes(8, "big")[-ENTRY_ID_CLOCK:]
        entry_id = clock + chance[:ENTRY_ID_CHANCE]
        nonces = chance[ENTRY_ID_CHANCE:]
        plain = nonces[:NONCE_SIZE] + _encode(new.event)
        hashes = [inner_hash(plain)]
        epoch, sealed = self._vault.seal_event(new.event.tenant, new.event.at, entry_id, plain)
        sealed_subjects = []
        for n, (part, row) in enumerate(zip(new.subjects, rows, strict=True), 1):
            plain = nonces[n * NONCE_SIZE : (n + 1) * NONCE_SIZE] + _encode(part)
            hashes.append(inner_hash(plain))
            sealed_subjects.append(hashes[n] + self._vault.seal_subject(row, entry_id, plain))
        tag = self._tag(rows, next_n)
        leaf = _pack_v1(
            entry_id, new.event.at, new.kind, self._writer, writer_seq, tag, commit(hashes)
        )
        return SealedEntry(
            entry_id=entry_id,
            kind=new.kind,
            writer=self._writer,
            writer_seq=writer_seq,
            tag=tag,
            leaf=leaf,
            leaf_hash=leaf_hash(leaf),
            event=new.event,
            epoch=epoch,
            sealed_event=hashes[0] + sealed,
            refs=tuple(part.customer for part in new.subjects),
            sealed_subjects=tuple(sealed_subjects),
        )

    def _tag(self, rows: list[SubjectRow], next_n: dict[str, int]) -> bytes:
        if len(rows) != 1:
            return token_bytes(TAG_SIZE)
        row = rows[0]
        n = next_n.get(row.ref, row.next_n)
        tag = self._vault.tag(row, n)
        next_n[row.ref] = n + 1
        return tag


def check_stored(stored: StoredEntry) -> Leaf:
    """Check a stored entry against itself, without any key: leaf hash, inner hashes, commitment.

    Raises:
        ProofError: A part was changed or lost; `index` names the entry.
    """
    index = stored.index
    if len(stored.refs) != len(stored.sealed_subjects):
        raise ProofError(f"entry {index}: references and subject parts differ", index=index)
    try:
        return check_parts(
            stored.leaf, stored.leaf_hash, (stored.sealed_event, *stored.sealed_subjects)
        )
    except ProofError as error:
        raise ProofError(f"entry {index}: {error}", index=index) from None


def check_parts(leaf: bytes, hashed: bytes, parts: Sequence[bytes | None]) -> Leaf:
    """Check a leaf against its hash and its stored parts, the event part first; without any key.

    Raises:
        ProofError: Something of it was changed or lost.
    """
    if not compare_digest(leaf_hash(leaf), hashed):
        raise ProofError("leaf was changed, restore it from a mirror")
    decoded = decode_leaf(leaf)
    hashes = []
    for part in parts:
        if part is None or len(part) < HASH_SIZE:
            raise ProofError("a part was lost with its hash, restore it from a backup")
        hashes.append(part[:HASH_SIZE])
    if not compare_digest(commit(hashes), decoded.commitment):
        raise ProofError("parts do not match the commitment")
    return decoded


def open_entry(
    stored: StoredEntry, vault: DetailVault, subjects: Mapping[str, SubjectRow]
) -> OpenedEntry:
    """Open and check an entry.

    A subject part is None when its sealed bytes or its subject's key were erased, and when the
    subject is not in `subjects`: so one person's part is opened without the others.

    Raises:
        ProofError: A part that is present does not match the leaf; `index` names the entry.
        KeyUnavailableError: A key that should be there is not.
    """
    leaf, index = check_stored(stored), stored.index
    sealed = stored.sealed_event or b""
    if len(sealed) == HASH_SIZE:
        raise ProofError(f"entry {index}: event part is gone, only its hash is left", index=index)
    try:
        plain = vault.open_event(
            tenant_of(stored.epoch), stored.epoch, leaf.entry_id, sealed[HASH_SIZE:]
        )
        event = _event_decoder.decode(_part(plain, sealed))
        parts = tuple(
            _open_subject(vault, subjects.get(ref), leaf.entry_id, part or b"")
            for ref, part in zip(stored.refs, stored.sealed_subjects, strict=True)
        )
    except ProofError as error:
        raise ProofError(f"entry {index}: {error}", index=index) from None
    except msgspec.DecodeError:
        raise ProofError(f"entry {index}: a part has an unknown format", index=index) from None
    if (
        event.at != leaf.at
        or not _is_searched_by_its_own(stored, leaf, event)
        or any(
            part is not None and part.customer != ref
            for ref, part in zip(stored.refs, parts, strict=True)
        )
    ):
        raise ProofError(f"entry {index}: clear columns contradict the parts", index=index)
    return OpenedEntry(
        index=index,
        entry_id=leaf.entry_id.hex(),
        kind=leaf.kind,
        event=event,
        refs=stored.refs,
        subjects=parts,
    )


def _is_searched_by_its_own(stored: StoredEntry, leaf: Leaf, event: EventPart) -> bool:
    """Whether the clear columns say what the sealed event part says."""
    searched = stored.searched
    return searched is None or (
        searched["kind"] == leaf.kind
        and all(searched[name] == getattr(event, name) for name in SEARCHED if name != "shown")
        and searched["shown"] in {event.shown, None}
    )


def open_parts(
    parts: Iterable[SealedPart], tenant: str, vault: DetailVault
) -> Iterator[tuple[int, int, bytes]]:
    """Open event parts by themselves, for who reads very many: each one's position, kind and JSON.

    The seal binds a part to its entry, tenant and month; the leaf and the tree are not looked at,
    and what it says is not parsed. An erased part has no bytes.

    Raises:
        ProofError: A part was lost, changed or moved, or is another tenant's; `index` names it.
        KeyUnavailableError: The epoch's key is not there.
    """
    openers: dict[str, Callable[[bytes, bytes], bytes]] = {}
    for position, entry_id, kind, epoch, sealed in parts:
        if epoch not in openers:
            if tenant_of(epoch) != tenant:
                raise ProofError(f"entry {position}: part of another tenant", index=position)
            openers[epoch] = vault.event_opener(tenant, epoch)
        if sealed is None or len(sealed) < HASH_SIZE:
            raise ProofError(f"entry {position}: event part is gone", index=position)
        if len(sealed) == HASH_SIZE:
            yield position, kind, b""
            continue
        try:
            plain = openers[epoch](entry_id, sealed[HASH_SIZE:])
        except ProofError as error:
            raise ProofError(f"entry {position}: {error}", index=position) from None
        yield position, kind, plain[NONCE_SIZE:]


def tenant_of(epoch: str) -> str:
    """The tenant that an epoch's name `<tenant>/<month>` belongs to."""
    return epoch.rpartition("/")[0]


def _part(plain: bytes, stored: bytes) -> bytes:
    if not compare_digest(inner_hash(plain), stored[:HASH_SIZE]):
        raise ProofError("a part does not match its hash, it was replaced")
    return plain[NONCE_SIZE:]


def _open_subject(
    vault: DetailVault, subject: SubjectRow | None, entry_id: bytes, stored: bytes
) -> SubjectPart | None:
    if subject is None or subject.wrapped_key is None or len(stored) == HASH_SIZE:
        return None
    plain = vault.open_subject(subject, entry_id, stored[HASH_SIZE:])
    return _subject_decoder.decode(_part(plain, stored))
