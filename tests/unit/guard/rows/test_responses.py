import pytest

from guard.rows import ActivationRow, ActivationState


@pytest.mark.parametrize(
    ("rolled_back_from", "approved_by", "due"),
    [(None, None, False), ("pol-1", None, True), ("pol-1", "ben", False)],
)
def test_only_a_rollback_that_nobody_else_has_looked_at_waits_for_a_review(
    rolled_back_from: str | None, approved_by: str | None, *, due: bool
) -> None:
    row = ActivationRow(
        id="pol-2",
        tenant="t",
        digest="d",
        state=ActivationState.ACTIVE,
        because="x",
        proposed_by="ana",
        proposed_at=1,
        approved_by=approved_by,
        rolled_back_from=rolled_back_from,
    )
    assert row.review_due is due
