from api.schemas.erasures import ErasingOut
from guard.forgetting.erasures import Erasing
from guard.rows import ErasureRow, ErasureState
from tests.unit.api.fakes import NOW, receipt


def test_a_step_is_told_with_its_receipt_and_without_its_keys() -> None:
    row = ErasureRow(
        id="er-1",
        tenant="acme",
        ref="c1",
        ground="unlawful",
        state=ErasureState.PROPOSED,
        proposed_by="ana",
        proposed_at=NOW,
        bucket="b0",
        key_id="k0",
    )
    told = ErasingOut.of(Erasing(row=row, receipt=receipt(3))).model_dump(mode="json")
    assert (told["erasure"]["customer"], told["receipt"]["index"]) == ("c1", 3)
    assert {"bucket", "key_id", "tenant"}.isdisjoint(told["erasure"])
