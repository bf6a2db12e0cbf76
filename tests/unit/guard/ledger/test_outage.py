from pathlib import Path

import pytest

from guard.clock import HOUR, MINUTE
from guard.errors import ConfigurationError
from guard.ledger.outage import OutageWindow
from tests.support.witnesses import NOW


def make(tmp_path: Path) -> OutageWindow:
    return OutageWindow("time stamp", tmp_path / "outages" / "anchors", 4 * HOUR)


def test_what_works_is_no_outage(tmp_path: Path) -> None:
    window = make(tmp_path)
    window.met()
    assert (window.lasts(NOW), window.is_over(NOW), window.warning(NOW)) == (0, False, "")


def test_an_outage_begins_with_the_first_failure_and_ends_with_a_success(tmp_path: Path) -> None:
    window = make(tmp_path)
    window.missed(NOW)
    window.missed(NOW + HOUR)
    assert window.lasts(NOW + HOUR) == HOUR
    assert window.lasts(NOW - HOUR) == 0
    assert "no time stamp since 2025-11-24T" in window.warning(NOW + HOUR)
    assert "10800 s of" in window.warning(NOW + HOUR)
    assert not window.is_over(NOW + 4 * HOUR - 1)
    assert window.is_over(NOW + 4 * HOUR)
    assert " 0 s of" in window.warning(NOW + 9 * HOUR)
    window.met()
    assert window.warning(NOW + 9 * HOUR) == ""
    assert make(tmp_path).lasts(NOW + 9 * HOUR) == 0


def test_a_restart_does_not_begin_the_count_anew(tmp_path: Path) -> None:
    make(tmp_path).missed(NOW)
    again = make(tmp_path)
    again.missed(NOW + MINUTE)
    assert again.lasts(NOW + HOUR) == HOUR


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    make(tmp_path).missed(NOW)
    (tmp_path / "outages" / "anchors").write_text("soon")
    with pytest.raises(ConfigurationError, match="outages/anchors"):
        make(tmp_path)
