import json
from pathlib import Path

import pytest

from api.cli.access import sign_in_link
from policies.model import ActorKind, Role
from tests.support.makers import TENANT
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard


def test_the_local_issuer_is_for_demos(
    guard: Guard, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = guard("token", "mint", "a1")
    assert refused.code == 77
    assert "RECORDGUARD_DEMO" in refused.err
    monkeypatch.setenv("RECORDGUARD_DEMO", "true")
    said = guard("token", "mint", "a1", "--scope", "views:write", "--json")
    assert json.loads(said.out)["token"].count(".") == 2
    assert (data_dir / "keys" / "demo-issuer.pem").stat().st_mode & 0o077 == 0


async def people(rig: Rig) -> None:
    tool = make_caller("desk", role=Role.SERVICE, kind=ActorKind.SERVICE)
    await rig.directory.put(tool, [row_of(tool), row_of(make_caller("a1"))])


def test_a_key_is_shown_once_and_revoked_once(guard: Guard, fill: Fill) -> None:
    fill(people)
    made = guard("keys", "create", "desk", "--scope", "views:write", "--tenant", TENANT, "--json")
    key = json.loads(made.out)
    assert key["key"].startswith(f"rgk_{key['id']}_")
    assert guard("keys", "revoke", key["id"], "--tenant", TENANT).code == 0
    assert guard("keys", "revoke", key["id"], "--tenant", TENANT).code == 65
    assert guard("keys", "create", "nobody", "--scope", "views:write").code == 65


def test_a_link_signs_somebody_in(guard: Guard, fill: Fill) -> None:
    fill(people)
    said = guard("sign-in", "a1", "--tenant", TENANT)
    assert said.code == 0
    assert said.out.startswith("http://127.0.0.1:8080/console/sign-in#")
    assert guard("sign-in", "nobody", "--tenant", TENANT).code == 77
    assert guard("sign-in", " ").code == 65


def test_the_ticket_stands_where_no_server_logs_it() -> None:
    assert sign_in_link("::1", 8080, "t").startswith("http://[::1]:8080/console/sign-in#")
