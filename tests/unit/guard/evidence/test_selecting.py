import json
import zipfile
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from guard.entries import EntryKind
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.evidence import selecting
from guard.evidence.selecting import Question, select
from guard.principals import LogScope, Principal
from tests.support.rig import Rig, make_caller
from tests.unit.guard.evidence.cases import AUDITOR, Told, bundle, judge, publish, take, tell

pytestmark = pytest.mark.anyio
ASKED = {"view", "refusal"}
ELSEWHERE = make_caller("a9", region="us", vendor="other", team="team-9")


async def tell_of_two_regions(rig: Rig, folder: Path) -> Told:
    """As `tell`; somebody of another region, vendor and team sees the first customer too."""
    told = await tell(rig, folder)
    await rig.broker.view(ELSEWHERE, rig.asks(told.refs[0], await rig.case(told.refs[0], "a9")))
    await publish(rig)
    return told


def shown_in(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as held:
        return held.read("parts.ndjson").splitlines()


def events_of(line: bytes) -> dict[str, str]:
    event: dict[str, str] = json.loads(b64decode(json.loads(line)["parts"][0]["open"])[32:])
    return event


@pytest.mark.parametrize(
    ("who", "agents", "said"),
    [
        (AUDITOR, {"a1", "a2"}, {"regions": "eu,"}),
        (replace(AUDITOR, region=""), {"a1", "a2", "a9"}, {}),
        (replace(AUDITOR, region="", log_scope=LogScope.VENDOR), {"a1", "a2"}, {"vendor": "vend"}),
        (replace(AUDITOR, region="", log_scope=LogScope.TEAM), {"a1", "a2"}, {"team": "team-1"}),
        (replace(AUDITOR, log_scope=LogScope.REGION), {"a1", "a2"}, {"regions": "eu"}),
        (replace(ELSEWHERE, role=AUDITOR.role, log_scope=LogScope.TEAM), {"a9"}, None),
    ],
)
async def test_a_bundle_shows_the_callers_part_of_the_log_and_says_so(
    rig: Rig,
    tmp_path: Path,
    who: Principal,
    agents: set[str],
    said: dict[str, str] | None,
) -> None:
    told = await tell_of_two_regions(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", who)
    report = judge(path, told.vkeys)
    assert report is not None
    if said is not None:
        assert report.manifest.filter == said
    shown = [events_of(line) for line in shown_in(path)]
    assert {one["agent"] for one in shown if one["kind"] in ASKED} == agents


async def test_a_customers_bundle_is_for_those_who_may_see_all_of_it(
    rig: Rig, tmp_path: Path
) -> None:
    told = await tell_of_two_regions(rig, tmp_path)
    before = len(rig.log())
    for who in (
        AUDITOR,
        replace(AUDITOR, log_scope=LogScope.REGION),
        replace(AUDITOR, region="", log_scope=LogScope.VENDOR),
        replace(AUDITOR, region="", log_scope=LogScope.TEAM),
    ):
        with pytest.raises(AccessDeniedError, match="ask for"):
            await take(told, who, customer=told.refs[0])
    assert len(rig.log()) == before
    # The second customer was seen in the auditor's own region alone.
    path = await bundle(told, tmp_path / "own.zip", AUDITOR, customer=told.refs[1])
    assert judge(path, told.vkeys) is not None
    path = await bundle(
        told, tmp_path / "all.zip", replace(AUDITOR, region=""), customer=told.refs[0]
    )
    report = judge(path, told.vkeys)
    assert report is not None
    assert report.of_customer is not None


async def test_what_is_not_there_or_not_the_callers_is_refused(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    with pytest.raises(NotFoundError, match="customer"):
        await take(told, AUDITOR, customer="nobody")
    with pytest.raises(NotFoundError, match="customer"):
        await take(told, make_caller("aud", tenant="t2", role=AUDITOR.role), customer=told.refs[0])
    for start, end in ((5, 4), (0, 10_000), (-1, None)):
        with pytest.raises(InvalidRequestError, match="range"):
            await take(told, AUDITOR, start=start, end=end)
    with pytest.raises(AccessDeniedError, match="vendor"):
        await take(told, replace(AUDITOR, log_scope=LogScope.VENDOR, vendor=""))
    with pytest.raises(AccessDeniedError, match="auditor"):
        await take(told, make_caller())
    assert all(one.kind is not EntryKind.EXPORT for one in rig.log())


def test_a_question_asks_for_one_thing_and_says_what_for() -> None:
    for question in (
        Question(purpose=" "),
        Question(purpose="x" * 501),
        Question(purpose="x", customer="c", agent="a"),
        Question(purpose="x", agent="a", start=1),
        Question(purpose="x", since=1, end=4),
    ):
        with pytest.raises(InvalidRequestError):
            question.check()
    Question(purpose="x" * 500, agent="a", since=1, until=2).check()


async def test_places_are_collected_in_many_reads(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await tell(rig, tmp_path)
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    for question in (
        Question(purpose="x"),
        Question(purpose="x", customer=told.refs[0]),
        Question(purpose="x", agent="a1"),
        Question(purpose="x", start=3, end=9),
    ):
        monkeypatch.setattr(selecting, "_LOOKED_AT", 2_000)
        at_once = await select(rig.readers, AUDITOR, question, note)
        monkeypatch.setattr(selecting, "_LOOKED_AT", 2)
        in_pairs = await select(rig.readers, AUDITOR, question, note)
        assert at_once == in_pairs
        assert len(in_pairs.places) > 2
        assert list(in_pairs.places) == sorted(in_pairs.places)


async def test_a_page_that_is_not_what_was_selected_breaks_off(rig: Rig, tmp_path: Path) -> None:
    await tell(rig, tmp_path)
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    taken = await select(rig.readers, AUDITOR, Question(purpose="x", agent="a1"), note)
    moved = replace(taken, query=replace(taken.query, agent_id="a2"))
    with rig.read() as view:
        assert [one.index for one in taken.page(view, 0)] == list(taken.places)
        with pytest.raises(ConflictError, match="anew"):
            moved.page(view, 0)
