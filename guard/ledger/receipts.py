"""Receipts: the writer's word that an entry is durable, given with the answer.

A receipt says where the entry is and signs its leaf hash with the writer's own Ed25519 key, whose
public half is in that writer's `WRITER_OPEN` entry. Should the entry be missing from a later tree,
the receipt shows that the log dropped it.
"""

from binascii import Error as HexError
from binascii import unhexlify

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guard.entries import Receipt, SealedEntry
from guard.errors import ProofError
from guard.ledger.entry import decode_leaf
from guard.ledger.merkle import HASH_SIZE, leaf_hash
from guard.ledger.note import decode_base64, encode_base64


class ReceiptSigner:
    """Signs the receipts of one writer."""

    def __init__(self, writer: bytes, key: Ed25519PrivateKey) -> None:
        """Sign for the 8-byte id `writer` with `key`."""
        self._writer, self._key = writer, key

    @classmethod
    def fresh(cls, writer: bytes) -> "ReceiptSigner":
        """A signer with a key of this process alone: its public half is all that is kept."""
        return cls(writer, Ed25519PrivateKey.generate())

    @property
    def public_key(self) -> str:
        """The public key in base64, as the `WRITER_OPEN` entry names it."""
        return encode_base64(self._key.public_key().public_bytes_raw())

    def sign(self, sealed: SealedEntry, index: int | None) -> Receipt:
        """The receipt of an entry that has become durable, at `index` if that is known yet."""
        return Receipt(
            entry_id=sealed.entry_id.hex(),
            index=index,
            writer=self._writer.hex(),
            writer_seq=sealed.writer_seq,
            leaf_hash=sealed.leaf_hash.hex(),
            signature=encode_base64(self._key.sign(sealed.leaf_hash)),
        )


def verify_receipt(receipt: Receipt, public_key: str) -> None:
    """Check a receipt against its writer's public key, in base64.

    Raises:
        ProofError: The receipt is malformed or not signed with that key.
    """
    try:
        signed = unhexlify(receipt.leaf_hash)
        key = Ed25519PublicKey.from_public_bytes(decode_base64(public_key))
    except (HexError, ValueError):
        raise ProofError("receipt or writer key is malformed, fetch it anew") from None
    if len(signed) != HASH_SIZE:
        raise ProofError("receipt has no leaf hash, fetch it anew")
    try:
        key.verify(decode_base64(receipt.signature), signed)
    except InvalidSignature:
        raise ProofError("receipt was not signed by its writer, do not trust it") from None


def match_receipt(receipt: Receipt, leaf: bytes, index: int) -> None:
    """Check that `leaf`, found in the log at `index`, is the one that was promised.

    Raises:
        ProofError: The log holds another entry there; `index` names it.
    """
    found = decode_leaf(leaf)
    promised = (receipt.leaf_hash, receipt.entry_id, receipt.writer, receipt.writer_seq)
    held = (leaf_hash(leaf).hex(), found.entry_id.hex(), found.writer.hex(), found.writer_seq)
    if promised != held or receipt.index not in {None, index}:
        place = index if receipt.index is None else receipt.index
        raise ProofError(f"entry {place} is not the one the receipt promised", index=place)
