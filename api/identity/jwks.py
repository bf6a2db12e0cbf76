"""The public keys of token issuers, from a file, from an address, or from our own demo issuer.

Only keys that can verify the pinned algorithms are taken: EC P-256, Ed25519, RSA of 2048 bits and
more. A symmetric key in a key set is ignored, whatever it says about itself.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from guard.clock import monotonic
from guard.errors import ConfigurationError, UnavailableError

Key = ECKey | OKPKey | RSAKey
# A key set is a few keys; more is a mistake or somebody who wants us to work.
MAX_KEYS = 32
MAX_BYTES = 256 * 1024
MIN_RSA_BITS = 2048
# How long a fetched set is used without asking again, and how often an unknown key id may make us
# ask: a rotation is noticed within 30 s, a flood of invented ids costs one request in 30 s.
FRESH_S = 600.0
RETRY_S = 30.0
FETCH_DEADLINE_S = 2.0


class KeySource(Protocol):
    """*Protocol* of where verification keys come from."""

    async def find(self, kid: str) -> Key | None:
        """Find the key called `kid`.

        Raises:
            UnavailableError: The keys have never been read and cannot be read now.
        """
        ...


class FixedKeys:
    """Keys that never change while the process lives."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        """Take `keys` by id."""
        self._keys = dict(keys)

    @classmethod
    def from_file(cls, path: Path) -> "FixedKeys":
        """Read a JWKS file.

        Raises:
            ConfigurationError: It cannot be read or holds no usable key.
        """
        try:
            keys = parse(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"RECORDGUARD_JWKS_FILE: {path.name} is no readable key set"
            ) from error
        if not keys:
            raise ConfigurationError(f"RECORDGUARD_JWKS_FILE: {path.name} holds no usable key")
        return cls(keys)

    async def find(self, kid: str) -> Key | None:
        """See `KeySource.find`."""
        return self._keys.get(kid)


class FetchedKeys:
    """Keys from an address: cached, fetched by one request at a time, slow to ask again."""

    def __init__(
        self, fetch: Callable[[], Awaitable[bytes]], mono: Callable[[], float] = monotonic
    ) -> None:
        """Fetch with `fetch` (see `http_fetch`)."""
        self._fetch, self._mono = fetch, mono
        self._keys: dict[str, Key] = {}
        self._read_at: float | None = None
        self._asked_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        """See `KeySource.find`."""
        # Whoever needs a key that is being fetched right now waits for it; a known one goes on.
        is_coming = kid not in self._keys and self._lock.locked()
        if is_coming or self._is_due(kid):
            async with self._lock:
                if self._is_due(kid):
                    await self._refresh()
        if self._read_at is None:
            raise UnavailableError("the issuer's keys cannot be read now: try again")
        return self._keys.get(kid)

    def _is_due(self, kid: str) -> bool:
        now = self._mono()
        if self._asked_at is not None and now - self._asked_at < RETRY_S:
            return False
        is_stale = self._read_at is None or now - self._read_at >= FRESH_S
        return is_stale or kid not in self._keys

    async def _refresh(self) -> None:
        self._asked_at = self._mono()
        try:
            keys = parse(await self._fetch())
        except (httpx2.HTTPError, OSError, ValueError):
            # Old keys stay in use: an issuer that is down must not stop the whole floor.
            return
        if keys:
            self._keys, self._read_at = keys, self._mono()


def http_fetch(url: str) -> Callable[[], Awaitable[bytes]]:
    """A fetcher for `FetchedKeys`: no redirects, a deadline, at most `MAX_BYTES`."""

    async def fetch() -> bytes:
        async with (
            httpx2.AsyncClient(timeout=FETCH_DEADLINE_S, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != httpx2.codes.OK:
                raise ValueError("the key set's address did not answer 200")
            content = b""
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > MAX_BYTES:
                    raise ValueError("the key set is too large")
            return content

    return fetch


def parse(content: bytes) -> dict[str, Key]:
    """Take the usable keys out of a JWKS document.

    Raises:
        ValueError: It is no JWKS document.
    """
    document = json.loads(content)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a key set")  # noqa: TRY004 - wrong content, not a wrong argument
    return dict(_usable(listed[:MAX_KEYS]))


def _usable(listed: Iterable[object]) -> Iterable[tuple[str, Key]]:
    for item in listed:
        if not isinstance(item, dict) or item.get("use", "sig") != "sig":
            continue
        kid = item.get("kid")
        key = _key({name: value for name, value in item.items() if name != "d"})
        if isinstance(kid, str) and key is not None:
            yield kid, key


def _key(item: dict[str, object]) -> Key | None:
    kind = (item.get("kty"), item.get("crv"))
    try:
        if kind == ("EC", "P-256"):
            return ECKey.import_key(item)  # type: ignore[arg-type] # a JSON object is checked inside
        if kind == ("OKP", "Ed25519"):
            return OKPKey.import_key(item)  # type: ignore[arg-type] # as above
        if item.get("kty") == "RSA" and _modulus_bits(item) >= MIN_RSA_BITS:
            return RSAKey.import_key(item)  # type: ignore[arg-type] # as above
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _modulus_bits(item: dict[str, object]) -> int:
    """The size of an RSA key, looked at before the library, which only warns about weak ones."""
    text = str(item["n"])
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).bit_length()
