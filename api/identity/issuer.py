"""A local issuer of tokens, for the demo and for tests. Production has its own identity provider.

Its ES256 key lies under the data directory, readable by its owner only; whoever can read it can be
anybody, so it is trusted only when `RECORDGUARD_DEMO` is on, and that works on loopback only.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

from api.identity.jwks import FixedKeys
from api.identity.secret_files import read_or_create
from guard.clock import SECOND, Micros

KEY_FILE = "keys/demo-issuer.pem"
DEFAULT_LIFE_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token shall say: who, in which tenant, through which client, for what.

    `act` is the AI agent that acts for `sub`. `mfa` puts a fresh second factor into the token.
    """

    sub: str
    tenant: str
    client: str
    scopes: tuple[str, ...]
    act: str | None = None
    life_s: int = DEFAULT_LIFE_S
    mfa: bool = False


class LocalIssuer:
    """Mints tokens with one key."""

    def __init__(
        self, key: ECKey, *, issuer: str, audience: str, wall: Callable[[], Micros]
    ) -> None:
        """Sign with `key` in the name of `issuer` for `audience`."""
        self._key, self._issuer, self._audience, self._wall = key, issuer, audience, wall
        self._kid = key.thumbprint()

    @classmethod
    def open(
        cls, data_dir: Path, *, issuer: str, audience: str, wall: Callable[[], Micros]
    ) -> "LocalIssuer":
        """Use the key under `data_dir`, making it on the first call.

        Raises:
            ConfigurationError: Others may read the key file, or it cannot be used.
        """
        pem = read_or_create(
            data_dir / KEY_FILE, lambda: ECKey.generate_key("P-256").as_pem(private=True)
        )
        return cls(ECKey.import_key(pem), issuer=issuer, audience=audience, wall=wall)

    def mint(self, grant: Grant) -> str:
        """Sign a token."""
        now = self._wall() // SECOND
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": grant.sub,
            "tenant": grant.tenant,
            "client_id": grant.client,
            "scope": " ".join(grant.scopes),
            "iat": now,
            "exp": now + grant.life_s,
            "jti": secrets.token_hex(16),
        }
        if grant.act is not None:
            claims["act"] = {"sub": grant.act}
        if grant.mfa:
            claims |= {"amr": ["pwd", "mfa"], "auth_time": now}
        header = {"alg": "ES256", "kid": self._kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])

    def keys(self) -> FixedKeys:
        """The public key, as a verifier wants it."""
        public = ECKey.import_key(self._key.as_dict(private=False))
        return FixedKeys({self._kid: public})
