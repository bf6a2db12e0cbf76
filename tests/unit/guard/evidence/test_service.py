from pathlib import Path

import pytest

from guard.entries import EntryKind
from guard.errors import ConflictError, NotFoundError, StoreUnavailableError
from guard.evidence.selecting import Question
from tests.support.forgetting import Oblivion
from tests.support.rig import Rig
from tests.unit.guard.evidence.cases import AUDITOR, NOTE, bundle, judge, publish, take, tell

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("asked", ["customer", "agent", "range", "time", "all"])
async def test_a_bundle_is_believed_by_both_verifiers(rig: Rig, tmp_path: Path, asked: str) -> None:
    told = await tell(rig, tmp_path)
    questions: dict[str, dict[str, object]] = {
        "customer": {"customer": told.refs[1]},
        "agent": {"agent": "a1"},
        "range": {"start": 5, "end": 11},
        "time": {"since": rig.clock.now() - 2_500_000},
        "all": {},
    }
    path = await bundle(told, tmp_path / "case.zip", AUDITOR, **questions[asked])
    report = judge(path, told.vkeys)
    assert report is not None
    assert report.shown == report.manifest.entries > 0
    log = rig.log()
    exports = [one for one in log if one.kind is EntryKind.EXPORT]
    assert exports[-1].event.body["records"] == report.shown
    if asked == "customer":
        assert report.of_customer == sum(one.refs == (told.refs[1],) for one in log) - 2
        assert all(part.refs in {(told.refs[1],), ()} for part in exports)


async def test_the_log_knows_of_a_bundle_before_any_of_it_leaves(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    question = Question(purpose=NOTE, customer=told.refs[1])
    before = len(rig.log())
    pieces = await told.evidence.make(AUDITOR, question)
    assert len(rig.log()) == before
    assert await anext(pieces) != b""
    (first,) = rig.log()[before:]
    assert (first.kind, first.refs) == (EntryKind.EXPORT, (told.refs[1],))
    assert first.event.body["format"] == "evidence"
    assert "why_sha256" not in first.event.body
    assert NOTE not in str(first.event)
    assert [part.reason for part in first.subjects if part is not None] == [NOTE]


async def test_who_was_asked_about_is_in_the_entry(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    await take(told, AUDITOR, agent="a1", since=5)
    exports = [one.event.body for one in rig.log() if one.kind is EntryKind.EXPORT]
    assert exports[0]["about"] == "a1"
    assert exports[0]["since"] == 5
    assert [one["chunk"] for one in exports] == [0, 1, 2]


async def test_nothing_leaves_that_cannot_be_recorded(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    pieces = await told.evidence.make(AUDITOR, Question(purpose=NOTE))
    rig.committer.close()
    with pytest.raises(StoreUnavailableError):
        await anext(pieces)


async def test_a_customer_who_was_forgotten_is_in_no_new_bundle_by_name(
    rig: Rig, tmp_path: Path
) -> None:
    told = await tell(rig, tmp_path)
    old = await bundle(told, tmp_path / "old.zip", customer=told.refs[0])
    half_way = await told.evidence.make(AUDITOR, Question(purpose=NOTE))
    await anext(half_way)
    await Oblivion.over(rig, tmp_path).forget(told.refs[0])
    async for _ in half_way:
        pass
    await publish(rig)
    with pytest.raises(NotFoundError, match="unknown customer"):
        await take(told, AUDITOR, customer=told.refs[0])
    whole = judge(await bundle(told, tmp_path / "new.zip"), told.vkeys)
    assert whole is not None
    assert judge(old, told.vkeys) is not None


async def test_nothing_is_taken_from_a_log_that_is_not_published(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    (tmp_path / "log" / "checkpoint").unlink()
    with pytest.raises(NotFoundError, match="no checkpoint"):
        await take(told, AUDITOR)


async def test_who_is_erased_before_a_chunk_is_recorded_does_not_leave_opened(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await tell(rig, tmp_path)
    pieces = await told.evidence.make(AUDITOR, Question(purpose="a matter"))
    Oblivion.over(rig, tmp_path).forget_after_reading(monkeypatch, told.refs[0])
    with pytest.raises(ConflictError, match="forgotten"):
        async for _ in pieces:
            pass
