"""`bucket`: the range a number lies in, lower edge included, upper edge not.

Either equal steps of `size` (between `lo` and `hi` where they are given), or the listed `edges`
("0,1000,50000"). What lies outside is "under" or "or more". The edges are the policy's own.
"""

from bisect import bisect_right
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from math import floor

from guard.masking.registry import Mask, Number, Params, Transform, Words
from guard.masking.scalars import Scalar, UnmaskableError

MAX_EDGE = 10**12
MAX_EDGES = 64
MAX_DIGITS = 40


def _make(params: Params) -> Mask:
    listed = str(params["edges"])
    if listed:
        edges = _listed(listed)
        return lambda value: _between(_number(value), edges)
    size, lo, hi = int(params["size"]), int(params["lo"]), int(params["hi"])
    if size > 0 and lo == hi == 0:
        hi = MAX_EDGE // size * size
        lo = -hi
    if size <= 0 or lo >= hi or (hi - lo) % size:
        raise UnmaskableError("`bucket` needs `edges`, or a `size` that divides `hi` - `lo`")

    def bucket(value: Scalar) -> Scalar:
        number = _number(value)
        if number < lo:
            return f"under {lo}"
        if number >= hi:
            return f"{hi} or more"
        low = lo + (floor(number) - lo) // size * size
        return f"{low} to under {low + size}"

    return bucket


def _listed(text: str) -> list[int]:
    try:
        edges = [int(edge) for edge in text.split(",")]
    except ValueError:
        raise UnmaskableError("`bucket` needs whole numbers with commas as `edges`") from None
    ordered = all(a < b for a, b in pairwise(edges))
    if not ordered or len(edges) > MAX_EDGES or max(abs(e) for e in edges) > MAX_EDGE:
        raise UnmaskableError("`bucket` needs rising `edges` within 10^12, at most 64")
    return edges


def _number(value: Scalar) -> Decimal:
    text = "" if isinstance(value, bool) else str(value)
    try:
        number = Decimal(text if len(text) <= MAX_DIGITS else "")
    except InvalidOperation:
        raise UnmaskableError("not a number") from None
    if not number.is_finite() or abs(number) > MAX_EDGE**2:
        raise UnmaskableError("not a number")
    return number


def _between(number: Decimal, edges: list[int]) -> str:
    place = bisect_right(edges, number)
    if place == 0:
        return f"under {edges[0]}"
    if place == len(edges):
        return f"{edges[-1]} or more"
    return f"{edges[place - 1]} to under {edges[place]}"


TRANSFORM = Transform(
    name="bucket",
    version=1,
    params={
        "edges": Words(default=""),
        "size": Number(default=0, low=0, high=MAX_EDGE),
        "lo": Number(default=0, low=-MAX_EDGE, high=MAX_EDGE),
        "hi": Number(default=0, low=-MAX_EDGE, high=MAX_EDGE),
    },
    make=_make,
    # An edge is the policy's text, but a value that lies on an edge equals it: 13 digits and sign.
    leaks=lambda _: 14,
)
