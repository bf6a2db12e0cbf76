import pytest

from detectors.errors import DetectorError, FormatError, StateError


@pytest.mark.parametrize("error", [FormatError("row 3", row=3), StateError("old")])
def test_all_failures_are_detector_errors(error: Exception) -> None:
    assert isinstance(error, DetectorError)


def test_a_format_error_keeps_its_row() -> None:
    assert FormatError("row 3", row=3).row == 3
