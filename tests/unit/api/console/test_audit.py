from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api.console.audit import PAGE
from guard.entries import LOOKS
from guard.errors import NotFoundError
from guard.exports import FORMATS, ExportFormat
from guard.rows import LogCount, LogQuery
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import TENANT, World, opened

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
AUDIT = "/console/audit"


def ask(client: TestClient, path: str = AUDIT, /, **form: str) -> tuple[int, str]:
    csrf = csrf_of(client.get(AUDIT).text)
    answer = client.post(path, data={"csrf": csrf, **form}, headers=SAME_ORIGIN)
    return answer.status_code, answer.text


async def test_looking_at_the_page_asks_nothing_of_the_log(world: World, browser: Browser) -> None:
    assert browser("aud").get(AUDIT).status_code == 200
    assert world.auditing.asked == []


async def test_before_the_first_checkpoint_the_page_is_there(
    world: World, browser: Browser
) -> None:
    world.auditing.note = None
    assert browser("aud").get(AUDIT).status_code == 200


async def test_the_published_checkpoint_is_shown(world: World, browser: Browser) -> None:
    world.auditing.note = b"recordguard.local/log\n10\n"
    assert "recordguard.local/log\n10" in browser("aud").get(AUDIT).text


@pytest.mark.parametrize(
    ("about", "asked"),
    [
        ("customer", LogQuery(tenant=TENANT, ref="x-1")),
        ("agent", LogQuery(tenant=TENANT, agent_id="x-1")),
    ],
)
async def test_a_question_is_about_a_customer_or_an_agent(
    world: World, browser: Browser, about: str, asked: LogQuery
) -> None:
    ask(browser("aud"), about=about, id="x-1")
    assert world.auditing.asked == [replace(asked, kinds=LOOKS, limit=PAGE)]


@pytest.mark.parametrize("form", [{"about": "customer"}, {"about": "team", "id": "x"}, {"id": "x"}])
async def test_what_is_no_question_is_refused(
    world: World, browser: Browser, form: dict[str, str]
) -> None:
    status, _ = ask(browser("aud"), **form)
    assert status == 422
    assert world.auditing.asked == []


async def test_a_question_is_narrowed_and_its_reason_is_told(
    world: World, browser: Browser
) -> None:
    world.auditing.elsewhere = LogCount(count=1000, is_exact=False)
    form = {
        "about": "agent",
        "id": "u17",
        "reason": "case 7",
        "field": "contact",
        "clear": "true",
        "purpose": "outreach",
        "vendor": "v1",
        "team": "t1",
        "link": "none",
    }
    _, page = ask(browser("aud"), **form)
    assert world.auditing.reasons == ["case 7"]
    assert world.auditing.asked == [
        LogQuery(
            tenant=TENANT,
            agent_id="u17",
            field="contact",
            is_clear=True,
            purpose="outreach",
            vendor="v1",
            team="t1",
            link="none",
            kinds=LOOKS,
            limit=PAGE,
        )
    ]
    assert "More than 1000 more in other regions" in page
    assert 'value="case 7"' in page


async def test_a_page_that_ended_at_its_bound_goes_on_with_the_same_question(
    world: World, browser: Browser
) -> None:
    world.auditing.entries, world.auditing.bound = [], 700
    client = browser("aud")
    _, first = ask(client, about="all", purpose="break_glass", clear="true")
    assert "the log goes on" in first
    cursor = first.split('name="cursor" value="')[1].split('"')[0]
    again = first.split('name="cursor"')[1].split("</form>")[0]
    assert 'name="purpose" value="break_glass"' in again
    assert 'name="clear" value="true"' in again
    ask(client, about="all", purpose="break_glass", clear="true", cursor=cursor)
    assert world.auditing.asked[1].before == 700
    assert ask(client, about="all", purpose="outreach", cursor=cursor)[0] == 400


async def test_the_second_page_goes_on_where_the_first_ended(
    world: World, browser: Browser
) -> None:
    world.auditing.entries = [opened(n) for n in range(PAGE + 5, 0, -1)]
    client = browser("aud")
    _, first = ask(client, about="agent", id="u17")
    cursor = first.split('name="cursor" value="')[1].split('"')[0]
    _, second = ask(client, about="agent", id="u17", cursor=cursor)
    assert world.auditing.asked[1].before == 6
    assert "/proof/5" in second
    assert 'name="cursor"' not in second


async def test_a_cursor_belongs_to_its_question(world: World, browser: Browser) -> None:
    world.auditing.entries = [opened(n) for n in range(PAGE, 0, -1)]
    client = browser("aud")
    _, first = ask(client, about="agent", id="u17")
    cursor = first.split('name="cursor" value="')[1].split('"')[0]
    status, _ = ask(client, about="agent", id="somebody-else", cursor=cursor)
    assert status == 400


async def test_an_unknown_customer_is_not_found(world: World, browser: Browser) -> None:
    world.auditing.failure = NotFoundError("unknown customer reference")
    assert ask(browser("aud"), about="customer", id="x")[0] == 404


async def test_a_form_of_another_site_asks_nothing(world: World, browser: Browser) -> None:
    client = browser("aud")
    csrf = csrf_of(client.get(AUDIT).text)
    form = {"csrf": csrf, "about": "agent", "id": "u17"}
    for path, data in ((AUDIT, form), (f"{AUDIT}/export", {"csrf": csrf, "format": "csv"})):
        answer = client.post(path, data=data, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
    assert world.auditing.asked == []
    assert world.exports.orders == []


async def test_a_proof_is_a_plain_text(browser: Browser) -> None:
    answer = browser("aud").get(f"{AUDIT}/proof/3")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content == b"c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(("index", "status"), [("10", 404), ("-1", 422), (str(1 << 63), 422)])
async def test_a_proof_of_nothing_is_an_error(browser: Browser, index: str, status: int) -> None:
    assert browser("aud").get(f"{AUDIT}/proof/{index}").status_code == status


@pytest.mark.parametrize("fmt", list(ExportFormat))
async def test_a_file_is_sent_in_its_format(
    world: World, browser: Browser, fmt: ExportFormat
) -> None:
    client = browser("aud")
    csrf = csrf_of(client.get(AUDIT).text)
    form = {"csrf": csrf, "format": fmt.value, "about": "agent", "id": "u17"}
    answer = client.post(f"{AUDIT}/export", data=form, headers=SAME_ORIGIN)
    assert answer.content == b'{"index":1}\n{"index":2}\n'
    assert FORMATS[fmt].suffix in answer.headers["content-disposition"]
    assert world.exports.orders[-1].query.agent_id == "u17"


async def test_a_file_holds_what_the_page_was_narrowed_to_and_says_why(
    world: World, browser: Browser
) -> None:
    form = {
        "about": "agent",
        "id": "u17",
        "field": "contact",
        "clear": "true",
        "purpose": "outreach",
        "vendor": "v1",
        "team": "t1",
        "link": "none",
    }
    client = browser("aud")
    _, page = ask(client, reason="case 7", **form)
    export = page.split(f'action="{AUDIT}/export"')[1].split("</form>")[0]
    for name in ("field", "clear", "purpose", "vendor", "team", "link"):
        assert f'type="hidden" name="{name}" value="{form[name]}"' in export
    assert 'name="why" maxlength="500" autocomplete="off" value="case 7"' in export
    assert '<option value="agent" selected>' in export
    ask(client, f"{AUDIT}/export", format="csv", why="case 7", **form)
    order = world.exports.orders[-1]
    assert (order.query, order.why) == (world.auditing.asked[-1], "case 7")
    order.check()


async def test_a_file_of_everything_names_nobody(world: World, browser: Browser) -> None:
    ask(browser("aud"), f"{AUDIT}/export", format="csv", about="all")
    query = world.exports.orders[-1].query
    assert (query.ref, query.agent_id) == (None, None)


async def test_whoever_may_read_and_not_export_gets_no_form_and_no_file(
    world: World, browser: Browser
) -> None:
    client = browser("ana")
    assert f'action="{AUDIT}/export"' not in client.get(AUDIT).text
    assert ask(client, f"{AUDIT}/export", format="csv")[0] == 403
    assert world.exports.orders == []


async def test_the_auditor_has_the_form(browser: Browser) -> None:
    assert f'action="{AUDIT}/export"' in browser("aud").get(AUDIT).text


@pytest.mark.parametrize("about", ["customer", "agent"])
async def test_a_file_about_nobody_is_refused(world: World, browser: Browser, about: str) -> None:
    # It would be empty, under a manifest that names no filter: as if the log were.
    assert ask(browser("aud"), f"{AUDIT}/export", format="csv", about=about, id="")[0] == 422
    assert world.exports.orders == []
