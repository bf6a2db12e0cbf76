import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({}, "1990"),
        ({"part": "month"}, "1990-02"),
        ({"part": "age_band", "as_of": 2026}, "30-39"),
        ({"part": "age_band", "as_of": 2079}, "80-89"),
        ({"part": "age_band", "as_of": 2080}, "90+"),
        ({"part": "age_band", "as_of": 1990}, "0-9"),
    ],
)
def test_a_part_of_the_date_is_shown(params: dict[str, str | int], shown: str) -> None:
    assert mask("date_part", **params)("1990-02-03") == shown


def test_a_time_behind_the_date_is_dropped() -> None:
    assert mask("date_part", part="month")("1990-02-03T10:11:12Z") == "1990-02"
    assert mask("date_part")("") == ""


@pytest.mark.parametrize("value", ["03.02.1990", "1990-2-3", "1990-02-03x", 19900203, None])
def test_what_is_no_iso_date_is_refused(value: str | int | None) -> None:
    with pytest.raises(UnmaskableError):
        mask("date_part")(value)


def test_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="day"):
        mask("date_part")("1990-02-30")


def test_an_age_band_needs_a_year_that_is_not_before_the_date() -> None:
    with pytest.raises(UnmaskableError):
        mask("date_part", part="age_band")
    with pytest.raises(UnmaskableError):
        mask("date_part", part="age_band", as_of=1980)("1990-02-03")
