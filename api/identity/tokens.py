"""Verifying bearer tokens: signed JWTs of one issuer, for one audience, with everything pinned.

The rules, each with a test that attacks it:

* the algorithm is one of `ALGORITHMS` and fits the key's type; `none` and every HMAC are refused;
* the key is found by `kid` among the issuer's keys; a token that brings its own key or the address
  of one (`jwk`, `jku`, `x5u`, `x5c`) is refused;
* `typ` says access token (`at+jwt`, RFC 9068) or plain `JWT`; `iss`, `aud`, `exp` and `sub` must be
  there and right.

A verified token is remembered by its SHA-256 for at most 60 s and never beyond `exp`: a signature
costs some 250 microseconds, a look-up one.
"""

import base64
import binascii
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from api.identity.errors import CredentialError
from api.identity.jwks import Key, KeySource
from guard.clock import SECOND, Micros

ALGORITHMS = {"ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP", "RS256": "RSA"}
TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
FORBIDDEN_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"})
# Real tokens are 1-2 KiB; the bound keeps hashing and parsing of rubbish cheap.
MAX_TOKEN = 8192
CACHE_S = 60
CACHE_SIZE = 10_000
# Clocks of issuer and broker differ a little; a token's life is minutes.
LEEWAY_S = 5


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The claims of a token that held, and the first half of its SHA-256 as its name."""

    claims: Mapping[str, object]
    name: str


class _PinnedRegistry(jws.JWSRegistry):
    """Knows the pinned algorithms only, and does not warn about the older name of Ed25519."""

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library gives its type no public name
        if name not in ALGORITHMS:
            raise CredentialError("the token does not hold: get a new one")
        return self.algorithms[name]


class TokenVerifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(
        self, keys: KeySource, *, issuer: str, audience: str, wall: Callable[[], Micros]
    ) -> None:
        """Find keys in `keys`; `wall` tells real time, which token lives are measured in."""
        self._keys, self._wall = keys, wall
        self._registry = _PinnedRegistry(algorithms=list(ALGORITHMS))
        self._rules: dict[str, jwt.ClaimsOption] = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": audience},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        self._cache: OrderedDict[bytes, tuple[Micros, VerifiedToken]] = OrderedDict()

    async def verify(self, token: str) -> VerifiedToken:
        """Check everything about `token`.

        Raises:
            CredentialError: It does not hold; the reason is not told.
            UnavailableError: The issuer's keys cannot be read.
        """
        if len(token) > MAX_TOKEN or not token.isascii():
            raise CredentialError("the token does not hold: get a new one")
        digest = hashlib.sha256(token.encode()).digest()
        now = self._wall()
        known = self._cache.get(digest)
        if known is not None and now < known[0]:
            return known[1]
        key = await self._key(_header(token))
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
            checks = jwt.JWTClaimsRegistry(now=now // SECOND, leeway=LEEWAY_S, **self._rules)
            checks.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise CredentialError("the token does not hold: get a new one") from error
        verified = VerifiedToken(claims, digest.hex()[:32])
        self._remember(digest, min(int(claims["exp"]) * SECOND, now + CACHE_S * SECOND), verified)
        return verified

    async def _key(self, header: Mapping[str, object]) -> Key:
        alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
        fits = (
            isinstance(alg, str)
            and alg in ALGORITHMS
            and isinstance(kid, str)
            and isinstance(typ, str)
            and typ.lower() in TYPES
            and not FORBIDDEN_HEADERS & header.keys()
        )
        key = await self._keys.find(str(kid)) if fits else None
        if key is None or key.key_type != ALGORITHMS[str(alg)]:
            raise CredentialError("the token does not hold: get a new one")
        return key

    def _remember(self, digest: bytes, until: Micros, verified: VerifiedToken) -> None:
        self._cache[digest] = (until, verified)
        self._cache.move_to_end(digest)
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)


def _header(token: str) -> Mapping[str, object]:
    """Read the header of a compact JWS without trusting it."""
    first = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or token.count(".") != 2:  # noqa: PLR2004 - compact JWS has 3 parts
        raise CredentialError("the token does not hold: get a new one")
    return header
