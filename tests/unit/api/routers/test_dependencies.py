"""What every route asks for, over an application of one route each."""

from typing import Annotated

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.identity.credentials import ApiKeyPut
from api.identity.scopes import Scope
from api.routers.dependencies import ASSERTED, Cursor, Guarded, Kept, Pages, caller, documents
from guard.principals import Principal
from tests.unit.api.fakes import TENANT, World


@pytest.fixture
def app(world: World) -> FastAPI:
    app = create_app(world, wall=world.clock.now)

    @app.get("/probe/me")
    async def me(
        principal: Annotated[Principal, caller(Scope.QUOTA_READ, Scope.VIEWS_WRITE)],
    ) -> dict[str, str]:
        return {"id": principal.id, "client": principal.client}

    @app.get("/probe/state")
    async def state(services: Guarded, cursors: Pages, replies: Kept) -> list[bool]:
        return [
            services is world,
            cursors is app.state.cursors,
            replies is app.state.replies,
        ]

    @app.get("/probe/page")
    async def page(cursor: Cursor = None) -> str | None:
        return cursor

    return app


@pytest.fixture
def probe(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def test_a_caller_with_all_scopes_is_who_the_token_says(world: World, probe: TestClient) -> None:
    answer = probe.get("/probe/me", headers=world.bearer("u17", "quota:read", "views:write"))
    assert answer.json() == {"id": "u17", "client": "desktop"}


@pytest.mark.parametrize("scope", ["quota:read", "views:write"])
def test_one_of_two_scopes_is_not_enough(world: World, probe: TestClient, scope: str) -> None:
    assert probe.get("/probe/me", headers=world.bearer("u17", scope)).status_code == 403


def test_the_refusal_names_the_scope_that_lacks(world: World, probe: TestClient) -> None:
    answer = probe.get("/probe/me", headers=world.bearer("u17", "quota:read"))
    assert "`views:write`" in answer.json()["detail"]


def test_without_a_credential_one_is_asked_for(probe: TestClient) -> None:
    answer = probe.get("/probe/me")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.anyio
async def test_a_tool_names_the_agent_it_speaks_for_in_a_header(
    world: World, probe: TestClient
) -> None:
    scopes = ("quota:read", "views:write")
    put = ApiKeyPut(tenant=TENANT, client="desk", scopes=scopes, may_assert=True)
    _, text = await world.credentials.create_api_key(put)
    headers = {"authorization": f"Bearer {text}", ASSERTED: "u17"}
    assert probe.get("/probe/me", headers=headers).json() == {"id": "u17", "client": "desk"}


def test_routes_get_what_the_application_was_made_with(probe: TestClient) -> None:
    assert probe.get("/probe/state").json() == [True, True, True]


@pytest.mark.parametrize(("length", "status"), [(512, 200), (513, 422)])
def test_a_cursor_is_bounded(probe: TestClient, length: int, status: int) -> None:
    assert probe.get("/probe/page", params={"cursor": "x" * length}).status_code == status


def test_problems_are_documented_by_status() -> None:
    assert documents(403, 404) == {
        403: {"description": "A problem document."},
        404: {"description": "A problem document."},
    }
