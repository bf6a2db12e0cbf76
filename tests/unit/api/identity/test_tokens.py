import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from api.identity.errors import CredentialError
from api.identity.jwks import FixedKeys, Key, parse
from api.identity.tokens import CACHE_S, MAX_TOKEN, TokenVerifier
from guard.clock import SECOND, ManualClock

NOW_S = 1_790_000_000
CLAIMS: dict[str, Any] = {
    "iss": "urn:issuer",
    "aud": "recordguard",
    "sub": "u17",
    "tenant": "acme",
    "exp": NOW_S + 300,
    "iat": NOW_S,
}
EC = ECKey.generate_key("P-256")
ED = OKPKey.generate_key("Ed25519")
RSA = RSAKey.generate_key(2048)
FOREIGN = ECKey.generate_key("P-256")


class CountingKeys(FixedKeys):
    def __init__(self, keys: dict[str, Key]) -> None:
        super().__init__(keys)
        self.asked = 0

    async def find(self, kid: str) -> Key | None:
        self.asked += 1
        return await super().find(kid)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_S * SECOND)


@pytest.fixture
def keys() -> CountingKeys:
    return CountingKeys({"ec": EC, "ed": ED, "rsa": RSA})


@pytest.fixture
def verifier(keys: CountingKeys, clock: ManualClock) -> TokenVerifier:
    return TokenVerifier(keys, issuer="urn:issuer", audience="recordguard", wall=clock.now)


def signed(
    claims: dict[str, Any] | None = None,
    key: Key = EC,
    **header: Any,  # noqa: ANN401 - any header
) -> str:
    full = {"alg": "ES256", "kid": "ec", "typ": "at+jwt"} | header
    return jwt.encode(full, CLAIMS | (claims or {}), key, algorithms=[full["alg"]])


def forged(header: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    body = f"{part(json.dumps(header).encode())}.{part(json.dumps(CLAIMS).encode())}"
    return f"{body}.{part(signature(body.encode()))}"


def ec_signature(body: bytes) -> bytes:
    private = EC.private_key
    assert private is not None
    r, s = utils.decode_dss_signature(private.sign(body, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("key", "alg", "kid"), [(EC, "ES256", "ec"), (ED, "Ed25519", "ed"), (RSA, "RS256", "rsa")]
)
async def test_each_pinned_algorithm_is_taken(
    verifier: TokenVerifier, key: Key, alg: str, kid: str
) -> None:
    token = await verifier.verify(signed(key=key, alg=alg, kid=kid))
    assert token.claims["sub"] == "u17"


@pytest.mark.anyio
async def test_the_older_name_of_ed25519_is_taken_without_a_warning(
    verifier: TokenVerifier,
) -> None:
    private = ED.private_key
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    token = forged({"alg": "EdDSA", "kid": "ed", "typ": "JWT"}, private.sign)
    assert (await verifier.verify(token)).claims["sub"] == "u17"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": NOW_S - 6}, id="expired"),
        pytest.param({"exp": None}, id="without end"),
        pytest.param({"exp": "never"}, id="end is no number"),
        pytest.param({"nbf": NOW_S + 60}, id="not yet"),
        pytest.param({"iat": NOW_S + 60}, id="issued in the future"),
        pytest.param({"iss": "urn:other"}, id="other issuer"),
        pytest.param({"iss": ["urn:issuer"]}, id="issuer is a list"),
        pytest.param({"aud": "other"}, id="other audience"),
        pytest.param({"aud": ["other", "another"]}, id="other audiences"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"sub": 17}, id="subject is a number"),
    ],
)
async def test_wrong_claims_are_refused(verifier: TokenVerifier, claims: dict[str, Any]) -> None:
    with pytest.raises(CredentialError):
        await verifier.verify(signed(claims))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"typ": "id+jwt"}, id="an ID token"),
        pytest.param({"typ": "dpop+jwt"}, id="a proof"),
        pytest.param({"typ": None}, id="no type"),
        pytest.param({"kid": "unknown"}, id="unknown key"),
        pytest.param({"kid": None}, id="no key id"),
        pytest.param({"kid": "ed"}, id="the id of a key of another type"),
        pytest.param({"jku": "https://evil.example/keys"}, id="address of a key"),
        pytest.param({"x5u": "https://evil.example/chain"}, id="address of a chain"),
        pytest.param({"jwk": FOREIGN.as_dict(private=False)}, id="brings its key"),
        pytest.param({"crit": ["exp"]}, id="critical extension"),
    ],
)
async def test_wrong_headers_are_refused_though_the_signature_holds(
    verifier: TokenVerifier, header: dict[str, Any]
) -> None:
    full = {"alg": "ES256", "kid": "ec", "typ": "at+jwt"} | header
    token = forged({k: v for k, v in full.items() if v is not None}, ec_signature)
    with pytest.raises(CredentialError):
        await verifier.verify(token)


@pytest.mark.anyio
async def test_the_same_signature_holds_under_the_right_header(verifier: TokenVerifier) -> None:
    token = forged({"alg": "ES256", "kid": "ec", "typ": "at+jwt"}, ec_signature)
    assert (await verifier.verify(token)).claims["sub"] == "u17"


@pytest.mark.anyio
async def test_a_foreign_key_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(CredentialError):
        await verifier.verify(signed(key=FOREIGN))


@pytest.mark.anyio
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_no_algorithm_is_refused(verifier: TokenVerifier, alg: str) -> None:
    with pytest.raises(CredentialError):
        await verifier.verify(forged({"alg": alg, "kid": "ec", "typ": "JWT"}, lambda _: b""))


@pytest.mark.anyio
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_an_hmac_with_the_public_key_as_its_secret_is_refused(
    verifier: TokenVerifier, alg: str
) -> None:
    public = RSA.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    token = forged(
        {"alg": alg, "kid": "rsa", "typ": "JWT"},
        lambda body: hmac.digest(public, body, hashlib.sha256),
    )
    with pytest.raises(CredentialError):
        await verifier.verify(token)


@pytest.mark.anyio
async def test_another_algorithm_of_the_same_key_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(CredentialError):
        await verifier.verify(signed(key=RSA, alg="PS256", kid="rsa"))


@pytest.mark.anyio
async def test_every_flipped_part_is_refused(verifier: TokenVerifier) -> None:
    token = signed()
    for at in range(0, len(token), 7):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(CredentialError):
            await verifier.verify(flipped)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.b.c",
        "x" * (MAX_TOKEN + 1),
        "e30.e30.",
        "W10.e30.AA",
        "[" * 4000,
    ],
)
async def test_rubbish_is_refused(verifier: TokenVerifier, text: str) -> None:
    with pytest.raises(CredentialError):
        await verifier.verify(text)


@pytest.mark.anyio
async def test_a_verified_token_is_remembered_for_a_minute_at_most(
    verifier: TokenVerifier, keys: CountingKeys, clock: ManualClock
) -> None:
    token = signed()
    await verifier.verify(token)
    await verifier.verify(token)
    assert keys.asked == 1
    clock.advance(CACHE_S * SECOND)
    await verifier.verify(token)
    assert keys.asked == 2


@pytest.mark.anyio
async def test_a_remembered_token_still_expires(
    verifier: TokenVerifier, clock: ManualClock
) -> None:
    token = signed({"exp": NOW_S + 10})
    await verifier.verify(token)
    clock.advance(16 * SECOND)
    with pytest.raises(CredentialError):
        await verifier.verify(token)


def test_a_symmetric_key_cannot_even_stand_in_a_key_set() -> None:
    shared = OctKey.generate_key(256).as_dict(private=True) | {"kid": "shared"}
    assert parse(json.dumps({"keys": [shared]}).encode()) == {}


@pytest.mark.anyio
async def test_the_cache_forgets_the_oldest(
    verifier: TokenVerifier, keys: CountingKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.identity.tokens.CACHE_SIZE", 2)
    tokens = [signed(CLAIMS | {"jti": str(n)}) for n in range(3)]
    for token in tokens:
        await verifier.verify(token)
    asked = keys.asked
    await verifier.verify(tokens[2])
    assert keys.asked == asked
    await verifier.verify(tokens[0])
    assert keys.asked == asked + 1
