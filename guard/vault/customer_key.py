"""One customer's own key: what is made of it, what it is called, and where what it opens stands."""

from hashlib import sha256
from hmac import digest

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from guard.vault.envelope import KEY_SIZE, SealKey, place


class CustomerKey:
    """A customer's own key: it seals, opens and tags what is about this customer."""

    __slots__ = ("counted_as", "seal_key", "tag_key")

    def __init__(self, key: bytes) -> None:
        """Prepare the 32 bytes of `key`."""
        self.seal_key = SealKey(key)
        # Handed out in bundles of evidence: it leads to no other key (`docs/formats/evidence.md`).
        self.tag_key = derive(key, "tag")
        self.counted_as = derive(key, "budget")[:16].hex()

    def tag(self, n: int) -> bytes:
        """The mark of the customer's n-th entry."""
        return digest(self.tag_key, n.to_bytes(8, "big"), "sha256")[:16]


def derive(key: bytes, use: str) -> bytes:
    """The key for one use, from another."""
    info = f"recordguard/v1/{use}".encode()
    return HKDFExpand(algorithm=SHA256(), length=KEY_SIZE, info=info).derive(key)


def key_id(tenant: str, ref: str) -> str:
    """The opaque name of a customer's key: it leads to nobody without the reference itself.

    It stands in the entries and the file that say whom the log has forgotten. A reference has 128
    random bits, so that nobody finds it by trying.
    """
    return sha256(place("key-id", tenant, ref)).hexdigest()[:32]


def key_place(tenant: str, bucket: str, ref: str) -> bytes:
    """Where a customer's wrapped key stands."""
    return place(tenant, "subjects", "wrapped_key", ref, bucket)


def source_key_place(tenant: str, ref: str) -> bytes:
    """Where a customer's sealed source key stands."""
    return place(tenant, "subjects", "sealed_key", ref)
