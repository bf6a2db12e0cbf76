import json

import anyio
import pytest

from api.app import token_verifier
from api.cli.access import local_issuer, sign_in_link
from api.cli.opened import services
from api.identity.errors import SignInError
from api.identity.principals import Authenticator
from api.identity.scopes import ALL
from api.settings import Settings, load_settings
from guard.clock import DAY, wall_micros
from guard.entries import EntryKind
from guard.errors import AccessDeniedError
from guard.principals import Principal
from tests.unit.api.installation import TENANT, Guard

OF_TENANT = ("--tenant", TENANT)


@pytest.fixture
def demo(home: object, monkeypatch: pytest.MonkeyPatch) -> Settings:
    assert home is not None
    monkeypatch.setenv("RECORDGUARD_DEMO", "true")
    return load_settings()


def recognised(settings: Settings, text: str, asserted: str | None = None) -> Principal:
    """Who a service with these settings takes the credential for."""

    async def work() -> Principal:
        async with services(settings) as opened:
            verifier = token_verifier(settings, wall_micros)
            authenticator = Authenticator(
                opened.readers, verifier, clock=opened.clock, wall=wall_micros
            )
            return await authenticator.authenticate(f"Bearer {text}", asserted)

    return anyio.run(work)


def test_a_service_in_demo_mode_takes_the_token(guard: Guard, demo: Settings) -> None:
    token = guard("token", "mint", "a1", *OF_TENANT).out.strip()
    who = recognised(demo, token)
    assert (who.id, who.tenant, who.client) == ("a1", TENANT, "desktop")
    assert "views:write" in who.scopes


@pytest.mark.usefixtures("home")
def test_without_a_demo_there_is_no_local_issuer(guard: Guard) -> None:
    ran = guard("token", "mint", "a1")
    assert (ran.code, ran.out) == (77, "")
    assert "RECORDGUARD_DEMO" in ran.err


def test_a_token_has_the_scopes_that_are_named(guard: Guard, demo: Settings) -> None:
    words = ("--scope", "quota:read", "--scope", "notices:read", "--client", "tool", "--json")
    token = json.loads(guard("token", "mint", "a1", *OF_TENANT, *words).out)["token"]
    who = recognised(demo, token)
    assert who.scopes == {"quota:read", "notices:read"}
    assert (who.client, who.mfa_at) == ("tool", None)


def test_a_second_factor_is_said_on_request(guard: Guard, demo: Settings) -> None:
    token = guard("token", "mint", "a1", *OF_TENANT, "--mfa").out.strip()
    assert recognised(demo, token).mfa_at is not None


def test_an_actor_is_in_the_token_and_held_against_the_directory(
    guard: Guard, demo: Settings
) -> None:
    token = guard("token", "mint", "a1", *OF_TENANT, "--act", "desk").out.strip()
    with pytest.raises(AccessDeniedError, match="AI agent"):
        recognised(demo, token)


@pytest.mark.parametrize("hours", ["0", "25"])
@pytest.mark.usefixtures("demo")
def test_a_token_lives_for_a_day_at_most(guard: Guard, hours: str) -> None:
    assert guard("token", "mint", "a1", "--hours", hours).code == 2


def test_the_issuer_is_the_one_of_the_data_folder(demo: Settings) -> None:
    keys = [local_issuer(demo).keys() for _ in range(2)]
    assert keys[0] is not None
    assert (demo.data_dir / "keys").is_dir()


def test_a_key_is_shown_once_and_works(guard: Guard, settings: Settings) -> None:
    scopes = ("--scope", "views:write", "--scope", "quota:read")
    made = json.loads(guard("keys", "create", "desk", *OF_TENANT, *scopes, "--json").out)
    assert recognised(settings, made["key"]).id == "desk"
    assert made["id"] in made["key"]


def test_a_key_may_speak_for_agents_only_if_it_was_made_for_that(
    guard: Guard, settings: Settings
) -> None:
    words = ("keys", "create", "desk", *OF_TENANT, "--scope", "views:write", "--json")
    silent = json.loads(guard(*words).out)["key"]
    speaking = json.loads(guard(*words, "--may-assert").out)["key"]
    with pytest.raises(AccessDeniedError, match="may not speak"):
        recognised(settings, silent, "a1")
    assert recognised(settings, speaking, "a1").id == "a1"


def test_the_words_say_that_the_key_is_not_shown_again(guard: Guard, settings: Settings) -> None:
    text, note = guard("keys", "create", "desk", *OF_TENANT, "--scope", "views:write").out.split(
        "\n", 1
    )
    assert recognised(settings, text).id == "desk"
    assert "not shown again" in note


def test_a_key_ends_after_its_days(guard: Guard, settings: Settings) -> None:
    before = wall_micros()
    words = ("--scope", "views:write", "--days", "3", "--json")
    made = json.loads(guard("keys", "create", "desk", *OF_TENANT, *words).out)

    async def work() -> int | None:
        async with services(settings) as opened:
            row = await opened.readers.read(lambda view: view.api_key(made["id"]))
            return None if row is None else row.expires_at

    end = anyio.run(work)
    assert end is not None
    assert before + 3 * DAY <= end <= wall_micros() + 3 * DAY


@pytest.mark.parametrize(
    ("client", "scope", "code"), [("nobody", "views:write", 65), ("desk", "fly:away", 65)]
)
@pytest.mark.usefixtures("home")
def test_no_key_is_made_for_a_stranger_or_an_unknown_scope(
    guard: Guard, client: str, scope: str, code: int
) -> None:
    ran = guard("keys", "create", client, *OF_TENANT, "--scope", scope)
    assert (ran.code, ran.out) == (code, "")


def test_a_revoked_key_is_refused(guard: Guard, settings: Settings) -> None:
    words = ("keys", "create", "desk", *OF_TENANT, "--scope", "views:write", "--json")
    made = json.loads(guard(*words).out)
    assert guard("keys", "revoke", made["id"], *OF_TENANT).out == f"key {made['id']} is revoked\n"
    with pytest.raises(AccessDeniedError):
        recognised(settings, made["key"])


@pytest.mark.usefixtures("home")
def test_a_key_is_revoked_in_its_own_tenant_only(guard: Guard) -> None:
    words = ("keys", "create", "desk", *OF_TENANT, "--scope", "views:write", "--json")
    made = json.loads(guard(*words).out)
    assert guard("keys", "revoke", made["id"], "--tenant", "other").code == 65


def test_a_sign_in_link_works_once(guard: Guard, settings: Settings) -> None:
    link = json.loads(guard("sign-in", "ana", *OF_TENANT, "--json").out)["link"]
    place, ticket = link.split("#")
    assert place == f"http://{settings.host}:{settings.port}/console/sign-in"

    async def work() -> None:
        async with services(settings) as opened:
            await opened.credentials.sessions.sign_in(ticket)
            with pytest.raises(SignInError):
                await opened.credentials.sessions.sign_in(ticket)

    anyio.run(work)


@pytest.mark.parametrize(("who", "code"), [("  ", 65), ("left", 77), ("nobody", 77)])
@pytest.mark.usefixtures("home")
def test_no_link_is_made_for_nobody(guard: Guard, who: str, code: int) -> None:
    assert guard("sign-in", who, *OF_TENANT).code == code


def test_every_credential_is_an_entry(guard: Guard, settings: Settings) -> None:
    guard("keys", "create", "desk", *OF_TENANT, "--scope", "views:write")
    guard("sign-in", "ana", *OF_TENANT)

    async def work() -> list[EntryKind]:
        async with services(settings) as opened:
            entries = await opened.readers.read(lambda view: view.entries(0, 1000))
            return [EntryKind(entry.leaf[25]) for entry in entries]

    assert anyio.run(work).count(EntryKind.CREDENTIAL) == 2


def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert sign_in_link("::1", 80, "t") == "http://[::1]:80/console/sign-in#t"


def test_all_scopes_is_what_no_scope_means(guard: Guard, demo: Settings) -> None:
    token = guard("token", "mint", "ana", *OF_TENANT).out.strip()
    assert {"alerts:read", "log:read"} <= recognised(demo, token).scopes <= ALL
