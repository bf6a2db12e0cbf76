from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from guard.clock import HOUR
from guard.entries import EntryKind
from guard.errors import ConflictError, InvalidRequestError, NotFoundError
from tests.unit.api.fakes import NOW, TENANT, World
from tests.unit.api.identity.test_api_keys import put


@pytest.mark.anyio
async def test_a_revoked_key_is_refused_at_once(world: World, client: TestClient) -> None:
    made, text = await world.credentials.create_api_key(put("quota:read"))
    await world.credentials.revoke_api_key(TENANT, made.id)
    answer = client.get("/v1/quota", headers={"authorization": f"Bearer {text}"})
    assert answer.status_code == 401
    with pytest.raises(ConflictError):
        await world.credentials.revoke_api_key(TENANT, made.id)
    with pytest.raises(NotFoundError):
        await world.credentials.revoke_api_key("other", made.id)


@pytest.mark.anyio
async def test_making_and_revoking_a_key_are_entries(world: World) -> None:
    made, text = await world.credentials.create_api_key(put("quota:read"))
    await world.credentials.revoke_api_key(TENANT, made.id)
    assert [e.kind for e in world.memory.entries] == [EntryKind.CREDENTIAL] * 2
    assert text.rsplit("_", 1)[1] not in repr(world.memory)


@pytest.mark.anyio
async def test_a_key_needs_known_scopes_a_known_tool_and_a_future(world: World) -> None:
    for wrong in (put(), put("views:destroy"), replace(put("quota:read"), expires_at=NOW - HOUR)):
        with pytest.raises(InvalidRequestError):
            await world.credentials.create_api_key(wrong)
    with pytest.raises(NotFoundError):
        await world.credentials.create_api_key(replace(put("quota:read"), client="nobody"))
    assert world.memory.entries == []
