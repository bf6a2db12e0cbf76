from pathlib import Path

import pytest

from guard.entries import EntryKind
from tests.support.rig import Rig
from tests.unit.guard.evidence.cases import bundle, judge, tell

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
    path = await bundle(told, tmp_path / "case.zip", **questions[asked])
    report = judge(path, told.vkeys)
    assert report is not None
    assert report.shown == report.manifest.entries > 0
    log = rig.log()
    exports = [one for one in log if one.kind is EntryKind.EXPORT]
    assert exports[-1].event.body["records"] == report.shown
    if asked == "customer":
        assert report.of_customer == sum(one.refs == (told.refs[1],) for one in log) - 2
        assert all(part.refs in {(told.refs[1],), ()} for part in exports)
