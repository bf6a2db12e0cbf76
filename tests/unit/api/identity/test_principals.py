from dataclasses import replace
from typing import cast

import pytest
from starlette.testclient import TestClient

from api.identity.credentials import ApiKeyPut
from api.identity.errors import CredentialError
from api.identity.principals import Authenticator
from api.identity.scopes import ALL, BY_ROLE, DELEGABLE, SUSPENDED, granted
from api.identity.tokens import TokenVerifier, VerifiedToken
from guard.clock import HOUR, MINUTE, SECOND
from guard.errors import AccessDeniedError
from guard.rows import ResponseKind
from policies.model import ActorKind, Role
from tests.unit.api.fakes import NOW, TENANT, World, response


@pytest.fixture
def authenticator(client: TestClient) -> Authenticator:
    found: Authenticator = client.app.state.authenticator  # type: ignore[attr-defined] # a FastAPI
    return found


@pytest.mark.anyio
async def test_the_directory_says_everything_but_the_name(
    world: World, authenticator: Authenticator
) -> None:
    found = await authenticator.authenticate(f"Bearer {world.token('u17')}", None)
    assert (found.tenant, found.vendor, found.site, found.team) == (TENANT, "v1", "s1", "team-a")
    assert (found.role, found.kind, found.line) == (Role.AGENT, ActorKind.HUMAN, ("lee",))
    assert found.client == "desktop"
    assert found.scopes == granted(ALL, BY_ROLE[Role.AGENT])


@pytest.mark.anyio
async def test_scopes_are_what_token_and_role_both_allow(
    world: World, authenticator: Authenticator
) -> None:
    text = world.token("u17", "views:write", "alerts:read", "nonsense")
    found = await authenticator.authenticate(f"Bearer {text}", None)
    assert found.scopes == {"views:write"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "header", [None, "", "Basic dTpw", "Bearer", "Bearer ", "rgk_x", "Bearer rgk_x"]
)
async def test_without_a_credential_there_is_no_principal(
    authenticator: Authenticator, header: str | None
) -> None:
    with pytest.raises(CredentialError):
        await authenticator.authenticate(header, None)


@pytest.mark.anyio
async def test_unknown_and_inactive_people_are_refused(
    world: World, authenticator: Authenticator
) -> None:
    with pytest.raises(AccessDeniedError):
        await authenticator.authenticate(f"Bearer {world.token('nobody')}", None)
    with pytest.raises(AccessDeniedError):
        await authenticator.authenticate(f"Bearer {world.token('u17', tenant='other')}", None)
    row = world.memory.people[TENANT, "u17"]
    token = world.token("u17")
    await authenticator.authenticate(f"Bearer {token}", None)
    world.memory.put_principal(replace(row, is_active=False))
    with pytest.raises(AccessDeniedError):
        await authenticator.authenticate(f"Bearer {token}", None)


@pytest.mark.anyio
async def test_an_ai_agent_without_a_person_is_refused(
    world: World, authenticator: Authenticator
) -> None:
    for token in (
        world.token("bot"),
        world.token("u17", client="bot"),
        world.token("bot", act="bot"),
        world.token("desk", act="bot"),
    ):
        with pytest.raises(AccessDeniedError):
            await authenticator.authenticate(f"Bearer {token}", None)


@pytest.mark.anyio
async def test_only_an_active_ai_agent_acts_for_a_person(
    world: World, authenticator: Authenticator
) -> None:
    found = await authenticator.authenticate(f"Bearer {world.token('ana', act='bot')}", None)
    assert found.keys == (f"actor:{TENANT}/bot", f"agent:{TENANT}/ana")
    assert found.scopes == {s.value for s in DELEGABLE & BY_ROLE[Role.ANALYST]}
    for actor in ("lee", "nobody"):
        with pytest.raises(AccessDeniedError):
            await authenticator.authenticate(f"Bearer {world.token('u17', act=actor)}", None)
    world.memory.put_principal(replace(world.memory.people[TENANT, "bot"], is_active=False))
    with pytest.raises(AccessDeniedError):
        await authenticator.authenticate(f"Bearer {world.token('u17', act='bot')}", None)


@pytest.mark.anyio
async def test_a_second_factor_keeps_its_real_age_on_the_domain_clock(
    world: World, authenticator: Authenticator
) -> None:
    token = world.token("u17", mfa=True)
    world.clock.advance(5 * MINUTE)
    found = await authenticator.authenticate(f"Bearer {token}", None)
    assert found.mfa_at == NOW // SECOND * SECOND
    plain = await authenticator.authenticate(f"Bearer {world.token('u17')}", None)
    assert plain.mfa_at is None


@pytest.mark.anyio
async def test_a_token_does_not_speak_for_somebody_else(
    world: World, authenticator: Authenticator
) -> None:
    with pytest.raises(AccessDeniedError):
        await authenticator.authenticate(f"Bearer {world.token('lee')}", "u17")


@pytest.mark.anyio
@pytest.mark.parametrize("asserted", ["", "x" * 129])
async def test_an_asserted_agent_has_a_usable_id(
    world: World, authenticator: Authenticator, asserted: str
) -> None:
    put = ApiKeyPut(tenant=TENANT, client="desk", scopes=("views:write",), may_assert=True)
    _, text = await world.credentials.create_api_key(put)
    with pytest.raises(AccessDeniedError, match="usable id"):
        await authenticator.authenticate(f"Bearer {text}", asserted)


@pytest.mark.anyio
@pytest.mark.parametrize("sub", ["", "x" * 129])
async def test_a_token_says_who_asks(world: World, authenticator: Authenticator, sub: str) -> None:
    with pytest.raises(CredentialError):
        await authenticator.authenticate(f"Bearer {world.token(sub)}", None)


async def scopes_of(
    world: World, authenticator: Authenticator, name: str, **grant: str
) -> frozenset[str]:
    found = await authenticator.authenticate(f"Bearer {world.token(name, **grant)}", None)
    return found.scopes


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["u17", "ana", "aud", "adm"])
async def test_whoever_is_suspended_keeps_what_is_about_themselves(
    world: World, authenticator: Authenticator, name: str
) -> None:
    before = await scopes_of(world, authenticator, name)
    world.memory.held.append(response(name))
    held = await scopes_of(world, authenticator, name)
    assert held == granted(ALL, SUSPENDED, BY_ROLE[world.memory.people[TENANT, name].role])
    assert {"quota:read", "notices:read", "notices:contest"} <= held < before
    world.clock.advance(HOUR)
    assert await scopes_of(world, authenticator, name) == before


@pytest.mark.anyio
async def test_only_a_suspension_in_force_takes_rights(
    world: World, authenticator: Authenticator
) -> None:
    before = await scopes_of(world, authenticator, "ana")
    world.memory.held += [
        response("ana", ResponseKind.EXPLAINED_ONLY),
        response("u17"),
        replace(response("ana"), ended_at=NOW - MINUTE),
        replace(response("ana"), tenant="other"),
    ]
    assert await scopes_of(world, authenticator, "ana") == before


@pytest.mark.anyio
async def test_a_suspended_ai_agent_takes_its_own_rights_only(
    world: World, authenticator: Authenticator
) -> None:
    world.memory.held.append(replace(response(), key=f"actor:{TENANT}/bot"))
    assert await scopes_of(world, authenticator, "ana", act="bot") == {
        s.value for s in SUSPENDED & DELEGABLE & BY_ROLE[Role.ANALYST]
    }
    assert "alerts:read" in await scopes_of(world, authenticator, "ana")


@pytest.fixture
async def desk_key(world: World) -> str:
    put = ApiKeyPut(tenant=TENANT, client="desk", scopes=("views:write",), may_assert=True)
    _, text = await world.credentials.create_api_key(put)
    return f"Bearer {text}"


@pytest.mark.anyio
async def test_a_tool_that_has_left_speaks_for_nobody(
    world: World, authenticator: Authenticator, desk_key: str
) -> None:
    assert (await authenticator.authenticate(desk_key, "u17")).id == "u17"
    row = world.memory.people.pop((TENANT, "desk"))
    with pytest.raises(AccessDeniedError, match="the tool"):
        await authenticator.authenticate(desk_key, "u17")
    world.memory.put_principal(replace(row, is_active=False))
    with pytest.raises(AccessDeniedError, match="the tool"):
        await authenticator.authenticate(desk_key, "u17")


@pytest.mark.anyio
async def test_a_suspended_tool_speaks_for_nobody(
    world: World, authenticator: Authenticator, desk_key: str
) -> None:
    world.memory.held.append(response("desk"))
    with pytest.raises(AccessDeniedError, match="suspended"):
        await authenticator.authenticate(desk_key, "u17")


class Says:
    """A verifier that takes any token for one with these claims."""

    def __init__(self, **claims: object) -> None:
        self.claims = {"sub": "u17", "tenant": TENANT, "client_id": "desktop", **claims}

    async def verify(self, _token: str) -> VerifiedToken:
        return VerifiedToken(self.claims, "n")


def said(world: World, **claims: object) -> Authenticator:
    verifier = cast("TokenVerifier", Says(**claims))
    return Authenticator(world.readers, verifier, clock=world.clock, wall=world.clock.now)


@pytest.mark.anyio
@pytest.mark.parametrize("act", ["bot", None, [], {}, {"sub": 7}])
async def test_an_actor_that_cannot_be_read_is_not_left_out(world: World, act: object) -> None:
    with pytest.raises(CredentialError):
        await said(world, act=act).authenticate("Bearer t", None)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("claims", "has_one"),
    [
        ({"amr": ["otp"], "auth_time": 1}, True),
        ({"amr": ["pwd"], "auth_time": 1}, False),
        ({"amr": "otp", "auth_time": 1}, False),
        ({"amr": ["otp"], "auth_time": True}, False),
        ({"amr": ["otp"]}, False),
        ({"amr": [["otp"]], "auth_time": 1}, False),
    ],
)
async def test_a_second_factor_is_believed_with_its_time_only(
    world: World,
    claims: dict[str, object],
    has_one: bool,  # noqa: FBT001 - a case of the table
) -> None:
    found = await said(world, **claims).authenticate("Bearer t", None)
    assert (found.mfa_at is not None) is has_one


@pytest.mark.anyio
async def test_the_tool_may_be_named_as_the_authorized_party(world: World) -> None:
    verifier = Says(azp="crm")
    del verifier.claims["client_id"]
    found = Authenticator(
        world.readers, cast("TokenVerifier", verifier), clock=world.clock, wall=world.clock.now
    )
    assert (await found.authenticate("Bearer t", None)).client == "crm"


@pytest.mark.anyio
async def test_a_service_with_a_signature_may_write_cases_and_nothing_else(
    world: World, authenticator: Authenticator
) -> None:
    found = await authenticator.service(TENANT, "desk", "webhook:zendesk")
    assert (found.id, found.client, found.scopes) == (
        "desk",
        "webhook:zendesk",
        frozenset({"cases:write"}),
    )
    assert (await authenticator.service(TENANT, "u17", "webhook:zendesk")).scopes == frozenset()
    with pytest.raises(AccessDeniedError):
        await authenticator.service("other", "desk", "webhook:zendesk")
    assert world.memory.entries == []
