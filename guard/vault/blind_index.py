"""Finding a customer by source key without storing the source key.

The index is HMAC-SHA256 under a key of the tenant, over the length-prefixed source name and key. It
is full length and so an exact lookup: source keys are technical keys, compared byte for byte and
not normalised. Whoever holds the tenant key can test a guess; whoever holds the database cannot.
"""

from hmac import digest

from guard.vault.envelope import place


def blind_index(key: bytes, source: str, source_key: str) -> bytes:
    """The 32 bytes that stand for a source key in the store."""
    return digest(key, place("subjects", "key_blind", source, source_key), "sha256")
