"""`date_shift`: a date moved by a number of days that is the same for all dates of one customer.

So the days between two dates stay true. The shift is drawn from `lo` to `hi` under the tenant's
key, never nought, and does not change with the scope: different shifts of one date would give it
away. A time of day and its zone are kept as they are.
"""

import re
from datetime import date, timedelta

from guard.masking.comparable import ascii_digits
from guard.masking.context import MaskContext
from guard.masking.registry import KeyedMask, Number, Params, Transform, without_key
from guard.masking.scalars import Scalar, UnmaskableError

MAX_DAYS = 3_650

_TIME = r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+\-][0-9]{2}:[0-9]{2})?"
_ISO = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})({_TIME})?")


def _make(params: Params) -> KeyedMask:
    lo, hi = int(params["lo"]), int(params["hi"])
    shifts = [days for days in range(lo, hi + 1) if days]
    if not shifts:
        raise UnmaskableError("`date_shift` needs `lo` below `hi`")

    def date_shift(value: Scalar, context: MaskContext) -> Scalar:
        if value == "":
            return ""
        found = _ISO.fullmatch(ascii_digits(value)) if isinstance(value, str) else None
        if found is None:
            raise UnmaskableError("not a date")
        drawn = int.from_bytes(context.of_subject("date_shift", str(lo), str(hi)), "big")
        day = date(int(found[1]), int(found[2]), int(found[3]))
        return f"{day + timedelta(days=shifts[drawn % len(shifts)])}{found[4] or ''}"

    return date_shift


TRANSFORM = Transform(
    name="date_shift",
    version=1,
    params={
        "lo": Number(default=-30, low=-MAX_DAYS, high=MAX_DAYS),
        "hi": Number(default=30, low=-MAX_DAYS, high=MAX_DAYS),
    },
    make=without_key,
    make_keyed=_make,
    # A moved date may share all but one digit with the old one, and the time of day is kept.
    leaks=lambda _: 31,
    is_reversible=True,
    is_deterministic=False,
)
