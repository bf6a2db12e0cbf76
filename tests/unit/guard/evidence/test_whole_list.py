from pathlib import Path

import pytest

from guard.errors import ForkError, NotFoundError, ProofError
from guard.evidence.whole_list import check_customer
from guard.ledger.tiles import TileFolder
from tests.support.log import settle
from tests.support.makers import TENANT
from tests.support.rig import Rig
from tests.tamper.waiting import wait
from tests.unit.guard.evidence.cases import tell

pytestmark = pytest.mark.anyio


async def test_a_list_is_whole_with_what_is_published_newer_and_pending(
    rig: Rig, tmp_path: Path
) -> None:
    told = await tell(rig, tmp_path)
    ref, folder = told.refs[0], TileFolder(tmp_path / "log")
    with rig.store.read() as view:
        size, _ = view.head()
        before = check_customer(view, rig.vault, TENANT, ref, (folder, size))
        assert before == check_customer(view, rig.vault, TENANT, ref, (folder, 0))
    await rig.case(ref)
    settle(rig.store)
    wait(rig.store, rig.keyring, (ref,), rig.clock.now())
    with rig.store.read() as view:
        after = check_customer(view, rig.vault, TENANT, ref, (folder, size))
        with pytest.raises(NotFoundError):
            check_customer(view, rig.vault, TENANT, "nobody", (folder, size))
        with pytest.raises(ForkError):
            check_customer(view, rig.vault, TENANT, ref, (folder, 10**6))
    assert after[: len(before)] == before
    assert len(after) > len(before)


async def test_a_counter_that_was_turned_back_hides_nothing(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    ref = told.refs[0]
    with rig.store.begin() as rows:
        row = rows.lock_subjects([ref])[ref]
        rows.advance_subjects({ref: row.next_n - 1})
    with rig.store.read() as view, pytest.raises(ProofError, match="an entry was hidden"):
        check_customer(view, rig.vault, TENANT, ref, (TileFolder(tmp_path / "log"), 0))
