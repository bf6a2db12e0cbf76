"""`date_part`: the year, the year and month, or an age band of ten years.

Only ISO 8601 dates (`1990-02-03`, with or without a time) are read. Masking knows no clock, so an
age band is counted up to the year that the policy names (`as_of`); without one there is no band.
"""

import re
from datetime import date

from guard.masking.comparable import ascii_digits
from guard.masking.registry import Choice, Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].{1,40})?")

# Ages above 89 identify people: they share one band.
OLDEST_BAND = 90
BAND = 10


def _make(params: Params) -> Mask:
    part, as_of = params["part"], int(params["as_of"])
    if part == "age_band" and not as_of:
        raise UnmaskableError("`date_part` needs `as_of`, a year, for an age band")

    def date_part(value: Scalar) -> Scalar:
        if value == "":
            return ""
        year, month = _parse(value)
        if part == "year":
            return f"{year:04}"
        if part == "month":
            return f"{year:04}-{month:02}"
        return _band(as_of - year)

    return date_part


def _parse(value: Scalar) -> tuple[int, int]:
    found = _ISO.fullmatch(ascii_digits(value)) if isinstance(value, str) else None
    if found is None:
        raise UnmaskableError("not a date")
    day = date(int(found[1]), int(found[2]), int(found[3]))
    return day.year, day.month


def _band(age: int) -> str:
    if age < 0:
        raise UnmaskableError("a date after the year that ages are counted up to")
    if age >= OLDEST_BAND:
        return f"{OLDEST_BAND}+"
    low = age // BAND * BAND
    return f"{low}-{low + BAND - 1}"


# A band copies nothing, but its five characters may happen to stand in the date.
_LEAKS = {"year": 4, "month": 7, "age_band": 5}

TRANSFORM = Transform(
    name="date_part",
    version=1,
    params={
        "part": Choice(default="year", words=("year", "month", "age_band")),
        "as_of": Number(default=0, low=0, high=9999),
    },
    make=_make,
    leaks=lambda params: _LEAKS[str(params["part"])],
)
