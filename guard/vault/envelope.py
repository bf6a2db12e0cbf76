"""Authenticated sealing: AES-256-GCM under a key, bound to the place where the bytes are kept.

A sealed value is `version (0x01) || nonce (12) || ciphertext || tag (16)`. Its additional data are
the version and the length-prefixed names of where it belongs (tenant, table, column, subject), so
that a value moved to another row, column or tenant does not open.

Nonces are random: a key may seal 2**32 values before a repeat becomes likelier than 2**-33. The
busiest key, one tenant's month of event parts, reaches that at some 1,600 entries a second.
"""

from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guard.errors import KeyUnavailableError, ProofError

SEAL_V1 = b"\x01"
KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16
OVERHEAD = len(SEAL_V1) + NONCE_SIZE + TAG_SIZE


class ChangedBytesError(ProofError, KeyUnavailableError):
    """Raised when sealed bytes do not open where they should: changed, moved, or another key's.

    It has both bases because it is both: to a reader a value that cannot be had, to an auditor the
    proof that somebody interfered.
    """


def place(*names: str | bytes) -> bytes:
    """Additional data for a place: each name behind its length, so that no two lists look alike."""
    parts = [SEAL_V1]
    for name in names:
        encoded = name.encode() if isinstance(name, str) else name
        parts.append(len(encoded).to_bytes(4, "big"))
        parts.append(encoded)
    return b"".join(parts)


def within(outer: bytes, name: bytes) -> bytes:
    """The place `name` inside another: `within(place(a), b)` is `place(a, b)`."""
    return outer + len(name).to_bytes(4, "big") + name


class SealKey:
    """A 32-byte key, ready to seal and open. Safe to share between threads."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Prepare `key`."""
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, where: bytes) -> bytes:
        """Seal `plain`, bound to a `place`."""
        nonce = token_bytes(NONCE_SIZE)
        return SEAL_V1 + nonce + self._cipher.encrypt(nonce, plain, where)

    def open(self, sealed: bytes, where: bytes) -> bytes:
        """Open what `seal` made for the same place.

        Raises:
            ChangedBytesError: Bytes, place or key are not those that sealed.
        """
        if len(sealed) < OVERHEAD or sealed[:1] != SEAL_V1:
            raise ChangedBytesError("sealed bytes have an unknown format, restore them")
        nonce, body = sealed[1 : 1 + NONCE_SIZE], sealed[1 + NONCE_SIZE :]
        try:
            return self._cipher.decrypt(nonce, body, where)
        except InvalidTag:
            raise ChangedBytesError(
                "sealed bytes do not open here, they were changed or moved: restore them"
            ) from None
