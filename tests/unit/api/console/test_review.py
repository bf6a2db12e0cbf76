from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api.console.charts import HOURS
from api.console.review import PAGE, TIMELINE
from guard.clock import HOUR
from guard.rows import AlertState
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import NOW, World, alert, opened, response

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
ALERT = "/console/alerts/alr-1"
REVIEW = {"state": "acknowledged", "label": "", "note": ""}
SUSPEND = {"pseudonym": "Heron-31", "reason": "see the alert", "hours": "24", "confirm": "yes"}


def post(client: TestClient, what: str, form: dict[str, str]) -> tuple[int, str]:
    csrf = csrf_of(client.get(ALERT).text)
    answer = client.post(
        f"{ALERT}/{what}", data=form | {"csrf": csrf}, headers=SAME_ORIGIN, follow_redirects=False
    )
    return answer.status_code, answer.headers.get("location", "")


async def test_the_queue_shows_what_is_unfinished(world: World, browser: Browser) -> None:
    world.alerts.rows = {
        state.value: replace(alert(state.value, state), pseudonyms=(f"Crane-{n}",))
        for n, state in enumerate(AlertState)
    }
    html = browser("ana").get("/console/alerts").text
    shown = {row.state for row in world.alerts.rows.values() if row.pseudonyms[0] in html}
    assert shown == {AlertState.OPEN, AlertState.ACKNOWLEDGED}


async def test_finished_alerts_are_shown_on_request(world: World, browser: Browser) -> None:
    world.alerts.rows = {"done": alert("done", AlertState.DISMISSED)}
    client = browser("ana")
    assert "/console/alerts/done" not in client.get("/console/alerts").text
    assert "/console/alerts/done" in client.get("/console/alerts?show=all").text


async def test_a_long_queue_goes_on_behind_a_cursor(world: World, browser: Browser) -> None:
    ids = [f"alr-{n:03}" for n in range(PAGE + 1)]
    world.alerts.rows = {name: alert(name) for name in ids}
    client = browser("ana")
    first = client.get("/console/alerts").text
    assert (ids[-1] in first, ids[0] in first) == (True, False)
    following = first.split('href="/console/alerts?')[-1].split('"')[0].replace("&amp;", "&")
    assert "cursor=" in following
    second = client.get(f"/console/alerts?{following}").text
    assert (ids[-1] in second, ids[0] in second) == (False, True)


async def test_a_short_queue_has_no_next_page(browser: Browser) -> None:
    assert "cursor=" not in browser("ana").get("/console/alerts").text


async def test_a_cursor_of_another_question_is_refused(world: World, browser: Browser) -> None:
    world.alerts.rows = {f"alr-{n:03}": alert(f"alr-{n:03}") for n in range(PAGE)}
    client = browser("ana")
    cursor = client.get("/console/alerts").text.split("cursor=")[1].split('"')[0].split("&")[0]
    assert client.get(f"/console/alerts?show=open&cursor={cursor}").status_code == 200
    assert client.get(f"/console/alerts?show=all&cursor={cursor}").status_code == 400


async def test_an_alert_shows_its_reasons_and_its_evidence(browser: Browser) -> None:
    html = browser("ana").get(ALERT).text
    assert "14 of 61 customers that Heron-31 viewed had no open case" in html
    assert "#7" in html


async def test_an_alert_shows_the_responses_to_it_alone(world: World, browser: Browser) -> None:
    client = browser("ana")
    world.memory.held += [
        replace(response(), reason="belongs to it"),
        replace(response(), reason="belongs elsewhere", alert_id="alr-2"),
    ]
    html = client.get(ALERT).text
    assert "belongs to it" in html
    assert "belongs elsewhere" not in html


async def test_an_unknown_alert_is_not_found(browser: Browser) -> None:
    assert browser("ana").get("/console/alerts/alr-9").status_code == 404


async def test_whoever_only_reads_gets_no_form(browser: Browser) -> None:
    html = browser("aud").get(ALERT).text
    assert f'action="{ALERT}/review"' not in html


@pytest.mark.parametrize("state", ["acknowledged", "confirmed", "dismissed"])
async def test_a_decision_is_carried_out(world: World, browser: Browser, state: str) -> None:
    form = REVIEW | {"state": state}
    assert post(browser("ana"), "review", form) == (303, ALERT)
    assert world.alerts.rows["alr-1"].state is AlertState(state)


async def test_an_empty_label_and_note_change_nothing(world: World, browser: Browser) -> None:
    world.alerts.rows["alr-1"] = replace(alert(), label="honest", note="kept")
    post(browser("ana"), "review", REVIEW)
    row = world.alerts.rows["alr-1"]
    assert (row.label, row.note) == ("honest", "kept")


@pytest.mark.parametrize(
    "wrong", [{"state": "open"}, {"label": "guilty"}, {"note": "x" * 2001}, {"assignee": "me"}]
)
async def test_what_is_no_decision_is_refused(
    world: World, browser: Browser, wrong: dict[str, str]
) -> None:
    status, _ = post(browser("ana"), "review", REVIEW | wrong)
    assert status == 422
    assert world.alerts.rows["alr-1"].state is AlertState.OPEN


async def test_a_finished_alert_is_not_decided_again(world: World, browser: Browser) -> None:
    client = browser("ana")
    csrf = csrf_of(client.get(ALERT).text)
    world.alerts.rows["alr-1"] = alert(state=AlertState.DISMISSED)
    answer = client.post(f"{ALERT}/review", data=REVIEW | {"csrf": csrf}, headers=SAME_ORIGIN)
    assert answer.status_code == 409


async def test_a_suspension_lasts_as_long_as_the_form_says(world: World, browser: Browser) -> None:
    assert post(browser("ana"), "suspend", SUSPEND | {"hours": "720"}) == (303, ALERT)
    row = world.memory.held[0]
    assert row.ends_at == NOW + 720 * HOUR
    assert (row.reason, row.alert_id) == ("see the alert", "alr-1")


async def test_a_suspension_has_a_bound(world: World, browser: Browser) -> None:
    assert post(browser("ana"), "suspend", SUSPEND | {"hours": "721"})[0] == 422
    assert world.memory.held == []


@pytest.mark.parametrize("name", ["Crane-7", "u17"])
async def test_nobody_is_suspended_whom_the_alert_does_not_name_so(
    world: World, browser: Browser, name: str
) -> None:
    # Not by the agent's own id either, as long as the alert shows a pseudonym.
    assert post(browser("ana"), "suspend", SUSPEND | {"pseudonym": name})[0] == 404
    assert world.memory.held == []


async def test_only_a_reviewer_suspends(world: World, browser: Browser) -> None:
    client = browser("aud")
    csrf = csrf_of(client.get("/console/me").text)
    form = SUSPEND | {"csrf": csrf}
    answer = client.post(f"{ALERT}/suspend", data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 403
    assert world.memory.held == []


async def test_a_timeline_asks_for_one_agent_and_the_hours_it_draws(
    world: World, browser: Browser
) -> None:
    assert browser("ana").get(f"{ALERT}/agents/Heron-31").status_code == 200
    query = world.auditing.asked[-1]
    assert (query.agent_id, query.limit) == ("u17", TIMELINE)
    assert query.since == (NOW // HOUR - HOURS + 1) * HOUR


async def test_a_timeline_says_when_it_is_cut(world: World, browser: Browser) -> None:
    client = browser("ana")
    whole = client.get(f"{ALERT}/agents/Heron-31").text
    world.auditing.entries = [opened(n) for n in range(TIMELINE, 0, -1)]
    cut = client.get(f"{ALERT}/agents/Heron-31").text
    assert ("Only the newest" in whole, f"Only the newest {TIMELINE}" in cut) == (False, True)


async def test_a_timeline_of_nobody_the_alert_names_is_not_found(
    world: World, browser: Browser
) -> None:
    assert browser("ana").get(f"{ALERT}/agents/u17").status_code == 404
    assert world.auditing.asked == []
