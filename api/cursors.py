"""Opaque page cursors: where a page ended, signed, and bound to the question and the asker.

Without the signature a cursor would be an index that somebody counts up; without the binding, one
tenant's cursor would open another's page. The key lies under the data directory, so that a cursor
survives a restart.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path

from api.identity.secret_files import read_or_create
from api.problems import CursorError

KEY_FILE = "keys/cursor.key"
_TAG = 16
_MAX = 512


class Cursors:
    """Signs and checks cursors."""

    def __init__(self, key: bytes) -> None:
        """Sign with `key`."""
        self._key = key

    @classmethod
    def open(cls, data_dir: Path) -> "Cursors":
        """Use the key under `data_dir`, making it on the first call.

        Raises:
            ConfigurationError: Others may read the key file.
        """
        return cls(read_or_create(data_dir / KEY_FILE, lambda: secrets.token_bytes(32)))

    def make(self, position: str, *question: str) -> str:
        """Make the cursor that continues `question` after `position`."""
        body = position.encode()
        return base64.urlsafe_b64encode(self._tag(body, question) + body).decode().rstrip("=")

    def read(self, cursor: str | None, *question: str) -> str | None:
        """The position in a cursor; None without one.

        Raises:
            CursorError: It was not made here for this question.
        """
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(
                cursor[:_MAX] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError) as error:
            raise CursorError from error
        tag, body = raw[:_TAG], raw[_TAG:]
        if not hmac.compare_digest(tag, self._tag(body, question)):
            raise CursorError
        return body.decode()

    def _tag(self, body: bytes, question: tuple[str, ...]) -> bytes:
        mac = hmac.new(self._key, digestmod=hashlib.sha256)
        # Length-prefixed, so that no two questions read the same.
        for part in (*(text.encode("utf-8", "replace") for text in question), body):
            mac.update(len(part).to_bytes(4) + part)
        return mac.digest()[:_TAG]
