"""What a keyed mask needs beside the value: whose record it is, and where its answers may join.

Equal values give equal answers inside one `scope` (a case, a purpose) and nothing that can be
compared outside it. A key without its scope is no use, so the two travel together.
"""

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskContext:
    """The tenant's key for masks, the customer's reference, and the scope of joins."""

    key: bytes = field(repr=False)
    subject: str
    scope: str

    def in_scope(self, use: str, *parts: str) -> bytes:
        """32 bytes that are the same for equal parts inside the scope, whoever the customer is."""
        return _mac(self.key, "scope", self.scope, use, *parts)

    def in_tenant(self, use: str, *parts: str) -> bytes:
        """32 bytes that are the same for equal parts in every scope of the tenant."""
        return _mac(self.key, "tenant", use, *parts)

    def of_subject(self, use: str, *parts: str) -> bytes:
        """32 bytes of this customer, in every scope.

        For what would average out if a new scope gave a new answer.
        """
        return _mac(self.key, "subject", self.subject, use, *parts)


def _mac(key: bytes, *parts: str) -> bytes:
    """HMAC-SHA-256 over the parts, told apart by their lengths: no two lists give one input."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        text = part.encode()
        mac.update(len(text).to_bytes(8, "big") + text)
    return mac.digest()
