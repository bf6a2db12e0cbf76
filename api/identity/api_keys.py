"""Keys of tools that have no JWT: `rgk_<id>_<secret>`.

Only the SHA-256 of the secret is kept: 256 random bits need no slow hash. The id finds the row, the
secret is compared in constant time, and an unknown id costs the same comparison.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from api.identity.errors import CredentialError
from guard.clock import Micros
from guard.rows import ApiKeyRow

PREFIX = "rgk_"
_SHAPE = re.compile(r"rgk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NOBODY = bytes(32)


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as somebody presented it."""

    key_id: str
    digest: bytes


def new_key() -> tuple[str, str]:
    """Make a key: (id, whole text). The text is shown once and never stored."""
    key_id = secrets.token_hex(8)
    return key_id, f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def parse(text: str) -> PresentedKey:
    """Split a presented key.

    Raises:
        CredentialError: It does not have the shape of a key.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise CredentialError("the API key does not hold: ask for a new one")
    return PresentedKey(match[1], digest_of(match[2]))


def digest_of(secret: str) -> bytes:
    """What is stored instead of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def check(row: ApiKeyRow | None, presented: PresentedKey, now: Micros) -> ApiKeyRow:
    """Return the row if the presented key is it and is in force.

    Raises:
        CredentialError: It is not, or was revoked, or has expired.
    """
    matches = hmac.compare_digest(_NOBODY if row is None else row.digest, presented.digest)
    if (
        row is None
        or not matches
        or row.revoked_at is not None
        or (row.expires_at is not None and row.expires_at <= now)
    ):
        raise CredentialError("the API key does not hold: ask for a new one")
    return row
