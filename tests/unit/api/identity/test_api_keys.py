from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api.identity import api_keys
from api.identity.credentials import ApiKeyPut
from api.identity.errors import CredentialError
from guard.rows import ApiKeyRow
from tests.unit.api.fakes import NOW, TENANT, World


def put(*scopes: str, may_assert: bool = False) -> ApiKeyPut:
    return ApiKeyPut(tenant=TENANT, client="desk", scopes=scopes, may_assert=may_assert)


def row(text: str) -> ApiKeyRow:
    presented = api_keys.parse(text)
    return ApiKeyRow(
        id=presented.key_id,
        tenant=TENANT,
        client="desk",
        digest=presented.digest,
        scopes=frozenset(),
        may_assert=False,
        expires_at=None,
        revoked_at=None,
    )


def test_only_the_digest_of_a_secret_is_kept() -> None:
    _, text = api_keys.new_key()
    assert text.rsplit("_", 1)[1].encode() not in row(text).digest


def test_a_key_in_force_holds() -> None:
    _, text = api_keys.new_key()
    assert api_keys.check(row(text), api_keys.parse(text), NOW) == row(text)


def test_unknown_revoked_expired_and_wrong_keys_are_refused() -> None:
    _, text = api_keys.new_key()
    _, other = api_keys.new_key()
    good = row(text)
    bad = [
        None,
        replace(good, revoked_at=NOW - 1),
        replace(good, expires_at=NOW),
        replace(good, digest=row(other).digest),
    ]
    for stored in bad:
        with pytest.raises(CredentialError):
            api_keys.check(stored, api_keys.parse(text), NOW)


@pytest.mark.parametrize("text", ["rgk_", "rgk_x_y", "rgk_" + "0" * 16 + "_short", "rgk_é"])
def test_a_misshapen_key_is_refused(text: str) -> None:
    with pytest.raises(CredentialError):
        api_keys.parse(text)


@pytest.mark.anyio
async def test_a_key_opens_what_its_scopes_say_and_no_more(
    world: World, client: TestClient
) -> None:
    _, text = await world.credentials.create_api_key(put("quota:read"))
    headers = {"authorization": f"Bearer {text}"}
    assert client.get("/v1/quota", headers=headers).status_code == 200
    assert client.get("/v1/notices", headers=headers).status_code == 403


@pytest.mark.anyio
async def test_a_tool_speaks_for_an_agent_only_if_it_may(world: World, client: TestClient) -> None:
    _, plain = await world.credentials.create_api_key(put("views:write", "quota:read"))
    _, trusted = await world.credentials.create_api_key(
        put("views:write", "quota:read", "cases:write", may_assert=True)
    )
    ask = {"customer": "ref-1", "purpose": "support_case"}
    headers = {"authorization": f"Bearer {plain}", "x-asserted-agent": "u17"}
    assert client.post("/v1/views", json=ask, headers=headers).status_code == 403
    headers["authorization"] = f"Bearer {trusted}"
    assert client.post("/v1/views", json=ask, headers=headers).status_code == 200
    principal, _ = world.broker.asked[0]
    assert (principal.id, principal.client) == ("u17", "desk")
    assert principal.scopes == {"views:write", "quota:read"}
    headers["x-asserted-agent"] = "nobody"
    assert client.post("/v1/views", json=ask, headers=headers).status_code == 403
