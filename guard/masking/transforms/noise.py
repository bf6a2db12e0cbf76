"""`noise`: a number moved by up to `percent` of itself, and by at least one unit.

The move is drawn from the customer and the value under the tenant's key. It is the same at every
look, in every scope: fresh noise would average out. An integer stays one and never stays the same.
"""

from decimal import Decimal

from guard.masking.amounts import MAX_DIGITS, decimal_of
from guard.masking.context import MaskContext
from guard.masking.registry import KeyedMask, Number, Params, Transform, without_key
from guard.masking.scalars import Scalar

PERCENT = 100
# Decimal places of a number that is no integer.
PLACES = 2


def _make(params: Params) -> KeyedMask:
    percent = int(params["percent"])

    def noise(value: Scalar, context: MaskContext) -> Scalar:
        number = decimal_of(value).normalize()
        places = 0 if isinstance(value, int) else PLACES
        units = int(number.scaleb(places).to_integral_value())
        span = max(1, abs(units) * percent // PERCENT)
        drawn = int.from_bytes(context.of_subject("noise", str(percent), f"{number:f}"), "big")
        # From 1 to 2 * span: the upper half moves down, and nought is not among them.
        move = drawn % (2 * span) + 1
        moved = units + (move if move <= span else span - move)
        return moved if places == 0 else format(Decimal(moved).scaleb(-places), "f")

    return noise


TRANSFORM = Transform(
    name="noise",
    version=1,
    params={"percent": Number(default=10, low=1, high=PERCENT)},
    make=without_key,
    make_keyed=_make,
    # The leading digits may stay: all but the last, and the sign.
    leaks=lambda _: MAX_DIGITS + 2,
    is_deterministic=False,
)
