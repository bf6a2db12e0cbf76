"""A sealer and a receipt signer without secrets, with the shapes of the real ones.

Leaves and commitments are real, parts are plain JSON behind their hash: enough for the store and
the admission, which never open one.
"""

from collections.abc import Mapping
from hashlib import sha256
from secrets import token_bytes

import msgspec

from guard.entries import EventPart, NewEntry, Receipt, SealedEntry, SubjectPart
from guard.errors import KeyUnavailableError, NotFoundError
from guard.ledger.entry import commit, inner_hash
from guard.ledger.merkle import HASH_SIZE
from guard.rows import SubjectRow


class PlainSealer:
    """Implements `guard.admission.Sealer`; refuses a subject without a key, as the real one."""

    def __init__(self, writer: bytes | None = None) -> None:
        """Seal as `writer`, or as one with a random name."""
        self.writer = token_bytes(8) if writer is None else writer

    def seal(
        self,
        new: NewEntry,
        *,
        writer_seq: int,
        subjects: Mapping[str, SubjectRow],
        next_n: dict[str, int],
    ) -> SealedEntry:
        """See `Sealer.seal`."""
        refs = tuple(part.customer for part in new.subjects)
        for ref in refs:
            if ref not in subjects:
                raise NotFoundError("a customer of the entry is unknown")
            if subjects[ref].wrapped_key is None:
                raise KeyUnavailableError("the customer was erased")
        entry_id, tag = token_bytes(16), token_bytes(16)
        if len(refs) == 1:
            n = next_n.get(refs[0], subjects[refs[0]].next_n)
            tag = sha256(f"{refs[0]}/{n}".encode()).digest()[:16]
            next_n[refs[0]] = n + 1
        event = _part(new.event)
        parts = tuple(map(_part, new.subjects))
        leaf = b"".join(
            (
                b"\x01",
                entry_id,
                new.event.at.to_bytes(8, "big"),
                new.kind.to_bytes(1, "big"),
                self.writer,
                writer_seq.to_bytes(8, "big"),
                tag,
                commit([part[:HASH_SIZE] for part in (event, *parts)]),
            )
        )
        return SealedEntry(
            entry_id=entry_id,
            kind=new.kind,
            writer=self.writer,
            writer_seq=writer_seq,
            tag=tag,
            leaf=leaf,
            leaf_hash=sha256(b"\x00" + leaf).digest(),
            event=new.event,
            epoch="2026-11",
            sealed_event=event,
            refs=refs,
            sealed_subjects=parts,
        )


class PlainReceipts:
    """Implements `guard.admission.ReceiptSigner` with a digest for a signature."""

    public_key = "A" * 43 + "="

    def sign(self, sealed: SealedEntry, index: int | None) -> Receipt:
        """See `ReceiptSigner.sign`."""
        return Receipt(
            entry_id=sealed.entry_id.hex(),
            index=index,
            writer=sealed.writer.hex(),
            writer_seq=sealed.writer_seq,
            leaf_hash=sealed.leaf_hash.hex(),
            signature=sha256(sealed.leaf_hash).hexdigest(),
        )


def opened_event(sealed: bytes) -> dict[str, object]:
    """What `PlainSealer` put into an event part."""
    return msgspec.json.decode(sealed[HASH_SIZE:], type=dict[str, object])


def _part(part: EventPart | SubjectPart) -> bytes:
    plain = msgspec.json.encode(part)
    return inner_hash(plain) + plain
