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

    def digest(self, use: str, *parts: str) -> bytes:
        """32 bytes that depend on the key, the scope, the use and all parts.

        The parts are told apart by their lengths: no two different lists give the same bytes.
        """
        mac = hmac.new(self.key, digestmod=hashlib.sha256)
        for part in (self.scope, use, *parts):
            text = part.encode()
            mac.update(len(text).to_bytes(8, "big") + text)
        return mac.digest()

    def digest_of_subject(self, use: str, *parts: str) -> bytes:
        """As `digest`, and different for each customer."""
        return self.digest(use, "subject", self.subject, *parts)
