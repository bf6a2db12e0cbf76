import pytest

from detectors.channels.channel import Trial
from detectors.channels.verify_miss import VerifyMiss
from tests.unit.detectors.making import make_verification


@pytest.mark.parametrize(("results", "counts"), [(0, True), (1, False)])
def test_only_what_was_said_wrong_counts(results: int, *, counts: bool) -> None:
    assert VerifyMiss().observe([], make_verification(results)) is counts


def test_it_is_counted_against_verifications_alone() -> None:
    assert VerifyMiss().trial is Trial.VERIFICATION
