from starlette.testclient import TestClient

from guard.attempts import KINDS
from guard.entries import EntryKind
from guard.rows import LogCount, LogQuery
from tests.unit.api.fakes import TENANT, World


def test_who_saw_a_customer_comes_in_pages(world: World, client: TestClient) -> None:
    aud = world.bearer("aud")
    path = "/v1/log/views?customer=ref-1&limit=5"
    first = client.get(path, headers=aud).json()
    assert [e["index"] for e in first["entries"]] == [9, 8, 7, 6, 5]
    assert first["entries"][0]["customers"] == ["ref-1"]
    assert first["entries"][0]["at"].endswith("Z")
    second = client.get(f"{path}&cursor={first['next']}", headers=aud).json()
    assert [e["index"] for e in second["entries"]] == [4, 3, 2, 1]
    assert second["next"] is None
    query = world.auditing.asked[1]
    assert (query.tenant, query.ref, query.before) == (TENANT, "ref-1", 5)
    assert {*KINDS.values(), EntryKind.REFUSAL, EntryKind.FAILED} == set(query.kinds)


def test_a_cursor_of_one_question_does_not_answer_another(world: World, client: TestClient) -> None:
    aud = world.bearer("aud")
    cursor = client.get("/v1/log/views?customer=ref-1&limit=1", headers=aud).json()["next"]
    for path in (
        f"/v1/log/views?customer=ref-2&cursor={cursor}",
        f"/v1/log/views?agent=ref-1&cursor={cursor}",
        f"/v1/log/views?customer=ref-1&cursor={cursor[:-1]}x",
        "/v1/log/views?customer=ref-1&cursor=",
    ):
        assert client.get(path, headers=aud).status_code == 400
    assert len(world.auditing.asked) == 1


def test_a_question_is_narrowed_by_all_that_is_named(world: World, client: TestClient) -> None:
    path = (
        "/v1/log/views?customer=ref-1&agent=u17&reason=case+7&field=contact&clear=true&region=eu"
        "&purpose=outreach&vendor=v1&team=t1&link=none&kind=reveal&kind=view"
    )
    assert client.get(path, headers=world.bearer("aud")).status_code == 200
    assert world.auditing.reasons == ["case 7"]
    assert world.auditing.asked == [
        LogQuery(
            tenant=TENANT,
            ref="ref-1",
            agent_id="u17",
            field="contact",
            is_clear=True,
            regions=("eu",),
            purpose="outreach",
            vendor="v1",
            team="t1",
            link="none",
            kinds=(EntryKind.REVEAL, EntryKind.VIEW),
        )
    ]


def test_what_cannot_be_asked_is_refused(world: World, client: TestClient) -> None:
    for query in ("kind=nothing", "clear=perhaps", "limit=0", "since=today", "reason="):
        answer = client.get("/v1/log/views?" + query, headers=world.bearer("aud"))
        assert answer.status_code == 422
    assert world.auditing.asked == []


def test_a_page_that_ends_at_its_bound_says_so_and_goes_on(
    world: World, client: TestClient
) -> None:
    aud = world.bearer("aud")
    world.auditing.entries, world.auditing.bound = [], 700
    world.auditing.elsewhere = LogCount(count=1000, is_exact=False)
    page = client.get("/v1/log/views?purpose=break_glass", headers=aud).json()
    assert (page["entries"], page["is_partial"]) == ([], True)
    assert page["elsewhere"] == {"count": 1000, "is_exact": False}
    client.get(f"/v1/log/views?purpose=break_glass&cursor={page['next']}", headers=aud)
    assert world.auditing.asked[1].before == 700
    other = client.get(f"/v1/log/views?purpose=outreach&cursor={page['next']}", headers=aud)
    assert other.status_code == 400


def test_one_entry_is_found_by_its_index_or_its_id(world: World, client: TestClient) -> None:
    aud = world.bearer("aud")
    found = client.get("/v1/log/entries/9", headers=aud).json()
    assert client.get(f"/v1/log/entries/{found['entry_id']}", headers=aud).json() == found
    assert client.get("/v1/log/entries/10", headers=aud).status_code == 404
    assert client.get("/v1/log/entries/9", headers=world.bearer("u17")).status_code == 403


def test_checkpoint_and_proof_are_plain_text(world: World, client: TestClient) -> None:
    agent = world.bearer("u17")
    answer = client.get("/v1/log/checkpoint", headers=agent)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("recordguard.local/log\n")
    assert client.get("/v1/log/proof/9", headers=agent).content.startswith(b"c2sp.org/tlog-proof")
    assert client.get("/v1/log/proof/10", headers=agent).status_code == 404
    for index in ("-1", "x", str(2**63), "1" * 20):
        assert client.get(f"/v1/log/proof/{index}", headers=agent).status_code == 422


def test_a_view_whose_case_came_late_shows_both_grades(world: World, client: TestClient) -> None:
    world.memory.repaired[9] = "owner"
    page = client.get("/v1/log/views?agent=u17", headers=world.bearer("aud")).json()
    shown = {e["index"]: (e["link"], e["late_link"]) for e in page["entries"]}
    assert shown[9] == ("none", "owner")
    assert shown[8] == ("none", None)
