"""Signed deliveries of ticket systems (Standard Webhooks): who sent this, and is it fresh.

A source is set up by a file `webhook-<source>` in the folder of secrets. Its lines, in any order:

    whsec_<base64>      a secret, 24 to 64 bytes; two of them while the secret is being changed
    tenant <name>       whose cases these are
    principal <id>      the service of the directory in whose name they are written
    adapter <name>      which ticket system it is; without this line the source's own name
    customers <name>    the record source whose keys the ticket system knows

A source that is not set up is answered as a signature that does not hold, and takes as long.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from api.identity.errors import CredentialError
from guard.clock import MINUTE, SECOND, Micros
from guard.errors import ConfigurationError
from guard.purposes.feeds.registry import ADAPTERS

FILE_PREFIX = "webhook-"
# What a source may be called: it is a part of a path and of a file's name.
NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
SECRET_PREFIX = "whsec_"  # noqa: S105 - what stands before a secret
VERSION = "v1"
# The standard's own tolerance: clocks differ, and a delivery waits in a queue.
TOLERANCE: Micros = 5 * MINUTE
# A change of secrets needs two signatures; the bound keeps a header from costing us hashing.
MAX_SIGNATURES = 8
MAX_SECRETS = 4
_SECRET_BYTES = range(24, 65)
# Digits of a time in seconds until the year 9999.
_TIME_DIGITS = 12
_MAX_LINES = 16
_NAME = re.compile(NAME)
# No dot: with one, a part of the id could pass for the time, or of the time for the body.
_DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NO_SUCH = "no webhook of that name, or its signature does not hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSource:
    """A ticket system that may deliver."""

    name: str
    secrets: tuple[bytes, ...] = field(repr=False)
    tenant: str
    principal: str
    adapter: str
    customers: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What the sender signed: its id of the delivery, and when."""

    id: str
    at: Micros


class Webhooks:
    """The sources that are set up, and the check of what they send."""

    def __init__(self, sources: Iterable[WebhookSource], wall: Callable[[], Micros]) -> None:
        """Take deliveries of `sources`; `wall` tells the real time, which senders sign by."""
        self._sources = {source.name: source for source in sources}
        self._wall = wall
        # Stands in for the secrets of a source that is not set up.
        self._nobody = (secrets.token_bytes(_SECRET_BYTES.start),)

    @classmethod
    def open(cls, folder: Path | None, wall: Callable[[], Micros]) -> "Webhooks":
        """Read the sources that the folder of secrets sets up; None: there are none.

        Raises:
            ConfigurationError: A file cannot be read or used; the message names it.
        """
        if folder is None:
            return cls((), wall)
        try:
            texts = {
                path.name.removeprefix(FILE_PREFIX): path.read_text()
                for path in sorted(folder.glob(FILE_PREFIX + "*"))
            }
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"cannot read the {FILE_PREFIX}* files of the secrets folder"
            ) from None
        return cls([parse_source(name, text) for name, text in texts.items()], wall)

    def verify(
        self, name: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[WebhookSource, Signed]:
        """Whose delivery this is, if its signature holds and it is fresh.

        Raises:
            CredentialError: Either does not hold, or there is no such source.
        """
        delivery_id = headers.get("webhook-id", "")
        stamp = headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
        source = self._sources.get(name)
        known = self._nobody if source is None else source.secrets
        content = b".".join((delivery_id.encode(), stamp.encode(), body))
        # Every signature is compared with every secret, whichever fits: nothing shows in the time.
        fits = [
            hmac.compare_digest(_signature(secret, content), given.encode())
            for secret in known
            for given in signatures
        ]
        if source is None or not any(fits):
            raise CredentialError(_NO_SUCH)
        if not _DELIVERY_ID.fullmatch(delivery_id):
            raise CredentialError(
                "the `webhook-id` must be 1 to 128 letters, digits, `-` and `_` of ASCII"
            )
        at = _instant(stamp)
        if at is None or abs(self._wall() - at) > TOLERANCE:
            raise CredentialError(
                "the delivery was signed too long ago or ahead of time: sign it anew"
            )
        return source, Signed(delivery_id, at)


def parse_source(name: str, text: str) -> WebhookSource:
    """Read the lines of one source.

    Raises:
        ConfigurationError: A line is missing, unknown or wrong; names the file, shows no secret.
    """
    file = FILE_PREFIX + name
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{file}: a source's name is lower-case letters, digits, - and _")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > _MAX_LINES:
        raise ConfigurationError(f"{file}: more than {_MAX_LINES} lines")
    known = [_secret(file, line) for line in lines if line.startswith(SECRET_PREFIX)]
    if not 0 < len(known) <= MAX_SECRETS:
        raise ConfigurationError(
            f"{file}: needs 1 to {MAX_SECRETS} lines with a secret, {SECRET_PREFIX}<base64>"
        )
    words = {"adapter": name} | _words(
        file, (line for line in lines if not line.startswith(SECRET_PREFIX))
    )
    missing = [word for word in ("tenant", "principal", "customers") if word not in words]
    if missing:
        raise ConfigurationError(f"{file}: needs a line with {' and '.join(missing)}")
    if words["adapter"] not in ADAPTERS:
        raise ConfigurationError(f"{file}: adapter is one of " + ", ".join(sorted(ADAPTERS)))
    return WebhookSource(name=name, secrets=tuple(known), **words)


def sign(secret: bytes, delivery_id: str, at: Micros, body: bytes) -> dict[str, str]:
    """The headers of a delivery, as its sender makes them."""
    stamp = str(at // SECOND)
    content = b".".join((delivery_id.encode(), stamp.encode(), body))
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": _signature(secret, content).decode(),
    }


def _signature(secret: bytes, content: bytes) -> bytes:
    digest = hmac.new(secret, content, hashlib.sha256).digest()
    return f"{VERSION},".encode() + base64.b64encode(digest)


def _instant(stamp: str) -> Micros | None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _TIME_DIGITS):
        return None
    return int(stamp) * SECOND


def _secret(file: str, line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) not in _SECRET_BYTES:
        raise ConfigurationError(
            f"{file}: a secret is {SECRET_PREFIX} and the base64 of "
            f"{_SECRET_BYTES.start} to {_SECRET_BYTES.stop - 1} bytes"
        )
    return secret


def _words(file: str, lines: Iterable[str]) -> dict[str, str]:
    allowed: Collection[str] = ("tenant", "principal", "adapter", "customers")
    words: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(" ")
        if name not in allowed or not value.strip() or name in words:
            raise ConfigurationError(
                f"{file}: each other line is one of {', '.join(allowed)} and its value, once"
            )
        words[name] = value.strip()
    return words
