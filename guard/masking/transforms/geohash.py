"""`geohash`: the first characters of a geohash; four are a cell of about 39 by 20 km.

Five, the most that may be shown, are a cell of about 5 km.
"""

import re

from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError, text_of

MAX_SHOWN = 5
# A shorter one would be shown whole, and says no more than its cell.
_GEOHASH = re.compile(r"[0-9b-hjkmnp-z]{6,12}")


def _make(params: Params) -> Mask:
    n = int(params["n"])

    def geohash(value: Scalar) -> Scalar:
        text = text_of(value).strip().lower()
        if not text:
            return ""
        if not _GEOHASH.fullmatch(text):
            raise UnmaskableError("not a geohash")
        return text[:n]

    return geohash


TRANSFORM = Transform(
    name="geohash",
    version=1,
    params={"n": Number(default=3, low=1, high=MAX_SHOWN)},
    make=_make,
    leaks=lambda params: int(params["n"]),
)
