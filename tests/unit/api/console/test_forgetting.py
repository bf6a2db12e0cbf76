from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from guard.clock import DAY
from guard.rows import ErasureRow, ErasureState, HoldRow, HoldScope
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import NOW, TENANT, World

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
HOME = "/console/forgetting"
APPROVE = f"{HOME}/erasures/er-1/approve"
LIFT = f"{HOME}/holds/hold-1/lift"
ERASE = {"customer": "c1", "ground": "objection", "reason": "wrote to us on Monday"}
HOLD = {"scope": "customer", "value": "c1", "ground": "legal_claims", "matter": "L-7"}
FORMS: dict[str, dict[str, str]] = {
    f"{HOME}/erasures": ERASE,
    APPROVE: {"confirm": "yes"},
    f"{HOME}/holds": HOLD,
    LIFT: {},
}


def approver(world: World) -> str | None:
    """Who has approved the one erasure."""
    return world.erasures.rows["er-1"].approved_by


def erasure(**changes: object) -> ErasureRow:
    row = ErasureRow(
        id="er-1",
        tenant=TENANT,
        ref="c1",
        ground="objection",
        state=ErasureState.PROPOSED,
        proposed_by="adm",
        proposed_at=NOW,
        bucket="b0",
        key_id="k0",
    )
    return replace(row, **changes)  # type: ignore[arg-type] # any field


def hold(**changes: object) -> HoldRow:
    row = HoldRow(
        id="hold-1",
        tenant=TENANT,
        scope=HoldScope.CUSTOMER,
        value="c1",
        ref="c1",
        since=None,
        until=None,
        ground="legal_claims",
        matter="L-7",
        set_by="adm",
        set_at=NOW,
    )
    return replace(row, **changes)  # type: ignore[arg-type] # any field


def send(client: TestClient, path: str, /, **form: str) -> int:
    csrf = csrf_of(client.get(HOME).text)
    answer = client.post(
        path, data={"csrf": csrf, **form}, headers=SAME_ORIGIN, follow_redirects=False
    )
    if answer.is_redirect:
        assert answer.headers["location"] == HOME
    return answer.status_code


async def test_the_page_is_there_before_anybody_was_forgotten(browser: Browser) -> None:
    html = browser("adm").get(HOME).text
    assert "Nobody was ever erased." in html
    assert "Nothing is held." in html


async def test_one_proposes_with_ground_and_reason_and_another_approves(
    world: World, browser: Browser
) -> None:
    client = browser("adm")
    assert send(client, f"{HOME}/erasures", **ERASE) == 303
    assert (world.erasures.rows["er-1"].ref, world.erasures.rows["er-1"].ground) == (
        "c1",
        "objection",
    )
    html = client.get(HOME).text
    assert "waits for a second person" in html
    assert APPROVE not in html
    assert ERASE["reason"] not in html
    client = browser("ana")
    assert APPROVE in client.get(HOME).text
    assert send(client, APPROVE) == 422
    assert approver(world) is None
    assert send(client, APPROVE, confirm="yes") == 303
    assert approver(world) == "ana"
    assert APPROVE not in client.get(HOME).text


@pytest.mark.parametrize("wrong", [{"ground": "because"}, {"reason": ""}, {"customer": ""}])
async def test_an_erasure_without_ground_reason_or_customer_is_refused(
    world: World, browser: Browser, wrong: dict[str, str]
) -> None:
    assert send(browser("ana"), f"{HOME}/erasures", **(ERASE | wrong)) == 422
    assert world.erasures.rows == {}


async def test_each_state_is_told_in_words(world: World, browser: Browser) -> None:
    client = browser("ana")
    told = {
        ErasureState.HELD: "a legal hold keeps it",
        ErasureState.RECORDED: "keys are being destroyed",
    }
    for state, words in told.items():
        world.erasures.rows["er-1"] = erasure(state=state, approved_by="ana", approved_at=NOW)
        assert words in client.get(HOME).text
    world.erasures.rows["er-1"] = erasure(state=ErasureState.DONE, ground="replayed")
    assert "replayed after a restore" in client.get(HOME).text


async def test_a_hold_is_set_and_two_people_lift_it(world: World, browser: Browser) -> None:
    client = browser("adm")
    assert send(client, f"{HOME}/holds", **HOLD) == 303
    assert world.holds.rows["hold-1"].matter == "L-7"
    assert "Ask to lift the hold L-7" in client.get(HOME).text
    assert send(client, LIFT) == 303
    html = client.get(HOME).text
    assert "waits for a second person" in html
    assert LIFT not in html
    client = browser("ana")
    assert "adm asks for it" in client.get(HOME).text
    assert send(client, LIFT) == 303
    world.holds.rows["hold-1"] = hold(lift_by="adm", lift_at=NOW, lifted_by="ana", lifted_at=NOW)
    assert LIFT not in client.get(HOME).text
    assert send(client, f"{HOME}/holds/hold-9/lift") == 404


async def test_a_hold_on_a_time_is_given_in_days(world: World, browser: Browser) -> None:
    client = browser("ana")
    days = {"scope": "time", "value": "", "since": "1970-01-02", "until": "1970-01-04"}
    assert send(client, f"{HOME}/holds", **(HOLD | days)) == 303
    row = world.holds.rows["hold-1"]
    assert (row.since, row.until) == (DAY, 3 * DAY)
    assert "from 1970-01-02 00:00:00 before 1970-01-04 00:00:00" in client.get(HOME).text
    assert send(client, f"{HOME}/holds", **(HOLD | days | {"until": "1970-02-31"})) == 422


async def test_who_only_reads_has_no_forms_and_others_have_no_page(
    world: World, browser: Browser
) -> None:
    world.erasures.rows["er-1"] = erasure()
    world.holds.rows["hold-1"] = hold()
    client = browser("aud")
    html = client.get(HOME).text
    assert "c1" in html
    assert "waits for a second person" in html
    assert "in force" in html
    assert 'action="/console/forgetting' not in html
    for path, form in FORMS.items():
        assert send(client, path, **form) == 403
    client = browser("u17")
    assert client.get(HOME).status_code == 403
    assert HOME not in client.get("/console/me").text
    assert approver(world) is None


async def test_forms_of_other_sites_and_old_forms_are_refused(
    world: World, browser: Browser
) -> None:
    world.erasures.rows["er-1"] = erasure()
    world.holds.rows["hold-1"] = hold(matter="L-1")
    client = browser("ana")
    csrf = csrf_of(client.get(HOME).text)
    for path, form in FORMS.items():
        for data, headers in (
            (form | {"csrf": csrf}, {"sec-fetch-site": "cross-site"}),
            (form | {"csrf": csrf}, {}),
            (form | {"csrf": "A" * 43}, SAME_ORIGIN),
        ):
            assert client.post(path, data=data, headers=headers).status_code == 403
    assert world.erasures.rows["er-1"].state is ErasureState.PROPOSED
    assert (world.holds.rows["hold-1"].matter, world.holds.rows["hold-1"].lift_by) == ("L-1", None)
