"""The life of a policy in the real service: over HTTP, over a restart, and over kill -9."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from api.bootstrap import build
from api.settings import Settings
from guard.errors import ConfigurationError
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from guard.store.tables import bundle_file
from policies.bundle import digest_of
from tests.support.policy_bundles import default_files
from tests.support.service import (
    AGENT,
    ANALYST,
    AUDITOR,
    SECOND_ANALYST,
    Service,
    open_service,
    prepare,
)

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

SHUT = """
@id("shut-for-now")
@reason("agents look at no records today: ask your lead")
forbid (principal == Role::"agent", action == Action::"Admit", resource == Request::"view");
"""


def shut_files() -> dict[str, str]:
    """The shipped policy with a rule that refuses every agent."""
    files = {name: content.decode() for name, content in default_files().items()}
    return files | {"shut.cedar": SHUT}


DIGEST = digest_of({name: text.encode() for name, text in shut_files().items()})


@pytest.fixture
def ledger(sqlite_template: Path, tmp_path: Path) -> str:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    return sqlite_url(tmp_path / "ledger.db")


@pytest.fixture
async def service(ledger: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(ledger, tmp_path) as opened:
        yield opened


async def approved(service: Service) -> str:
    body = {"files": shut_files(), "because": "an incident"}
    proposed = await service.ask("POST", "/v1/policies", ANALYST, body)
    assert proposed.is_success, proposed.text
    policy: str = proposed.json()["id"]
    answer = await service.ask("POST", f"/v1/policies/{policy}/approve", SECOND_ANALYST)
    assert answer.json()["state"] == "approved"
    return policy


async def test_the_request_after_the_answer_is_decided_by_the_new_policy(service: Service) -> None:
    ref = service.refs[0]
    case = await service.case(ref)
    assert (await service.view(ref, case=case)).is_success
    policy = await approved(service)
    tried = await service.ask("POST", f"/v1/policies/{policy}/backtest", AUDITOR, {})
    assert tried.json()["sentence"].endswith(
        "this bundle would have refused 1 of 1 honest ones (100.00 %), all in team team-1"
    )
    assert (await service.view(ref, case=case)).is_success
    await service.ask("POST", f"/v1/policies/{policy}/activate", ANALYST)
    refused = await service.view(ref, case=case)
    assert refused.status_code == httpx2.codes.FORBIDDEN
    assert refused.json()["determined_by"] == ["shut-for-now"]
    body = {"because": "desks stand still"}
    back = await service.ask("POST", "/v1/policies/rollback", SECOND_ANALYST, body)
    assert back.json()["review_due"]
    assert (await service.view(ref, case=case)).is_success


async def test_nobody_approves_alone_and_agents_do_not_see_policies(service: Service) -> None:
    body = {"files": shut_files(), "because": "an incident"}
    policy = (await service.ask("POST", "/v1/policies", ANALYST, body)).json()["id"]
    own = await service.ask("POST", f"/v1/policies/{policy}/approve", ANALYST)
    assert own.status_code == httpx2.codes.FORBIDDEN
    early = await service.ask("POST", f"/v1/policies/{policy}/activate", ANALYST)
    assert early.status_code == httpx2.codes.CONFLICT
    assert (await service.ask("GET", "/v1/policies", AGENT)).status_code == httpx2.codes.FORBIDDEN


async def test_an_access_review_is_signed_over_http(service: Service) -> None:
    await service.view(service.refs[0])
    since = (await service.ask("GET", "/v1/access-reviews", AUDITOR)).json()
    assert all(row["is_overdue"] for row in since["classes"])
    body = {"field": "shoe_size", "on": "2020-01-01T00:00:00Z", "statement": "looked at"}
    answer = await service.ask("POST", "/v1/access-reviews", ANALYST, body)
    assert answer.status_code == httpx2.codes.NOT_FOUND


@pytest.mark.enable_socket
async def test_nothing_is_lost_by_a_kill_between_the_steps(tmp_path: Path) -> None:
    prepared = await prepare(tmp_path, worker=False)
    tokens = prepared.tokens
    ref = prepared.refs[0]

    async def ask(base: str, who: str, path: str, body: object = None) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=base, timeout=60) as client:
            return await client.post(path, json=body, headers=tokens.header(who))

    with prepared.serve() as server:
        server.start()
        body = {"files": shut_files(), "because": "an incident"}
        answer = await ask(server.base_url, ANALYST, "/v1/policies", body)
        path = f"/v1/policies/{answer.json()['id']}"
        assert (await ask(server.base_url, SECOND_ANALYST, path + "/approve")).is_success
        server.kill()
        server.start()
        active = await ask(server.base_url, ANALYST, path + "/activate")
        assert (active.json()["state"], active.json()["digest"]) == ("active", DIGEST)
        server.kill()
        server.start()
        view = {"customer": ref, "purpose": "support_case"}
        refused = await ask(server.base_url, AGENT, "/v1/views", view)
        assert refused.json()["determined_by"] == ["shut-for-now"]


async def test_a_stored_policy_that_was_changed_keeps_the_service_from_starting(
    ledger: str, tmp_path: Path
) -> None:
    async with open_service(ledger, tmp_path) as service:
        policy = await approved(service)
        await service.ask("POST", f"/v1/policies/{policy}/activate", ANALYST)
        settings = service.settings
    _tamper(settings)
    with pytest.raises(ConfigurationError, match=policy):
        build(settings)


def _tamper(settings: Settings) -> None:
    """Open the policy in force a little, as somebody with the database could."""
    with SqlStore(sqlite_url(settings.data_dir / "ledger.db")) as store, store.begin() as rows:
        rows._put(  # noqa: SLF001 - the store itself never changes what it has kept
            bundle_file,
            [{"digest": DIGEST, "path": "shut.cedar", "content": b""}],
        )
