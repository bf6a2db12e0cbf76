"""`round`: a number to the nearest multiple of `step`, or to some significant `digits`.

Half goes to the even neighbour, so that sums of many do not drift. An integer stays one.
"""

from decimal import Decimal
from fractions import Fraction

from guard.masking.amounts import MAX_DIGITS, decimal_of
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError

MAX_STEP = 10**12
MAX_SIGNIFICANT = 4


def _make(params: Params) -> Mask:
    step, digits = int(params["step"]), int(params["digits"])
    if bool(step) == bool(digits) or step == 1:
        raise UnmaskableError("`round` needs a `step` of 2 or more, or `digits`, not both")

    def to_step(value: Scalar) -> Scalar:
        # A fraction rounds half to even, and exactly: a quotient of decimals is cut off.
        return round(Fraction(decimal_of(value)) / step) * step

    def to_digits(value: Scalar) -> Scalar:
        number = decimal_of(value)
        place = Decimal((0, (1,), number.adjusted() - digits + 1))
        rounded = round(Fraction(number) / Fraction(place)) * place
        return int(rounded) if isinstance(value, int) else format(rounded.normalize(), "f")

    return to_step if step else to_digits


TRANSFORM = Transform(
    name="round",
    version=1,
    params={
        "step": Number(default=0, low=0, high=MAX_STEP),
        "digits": Number(default=0, low=0, high=MAX_SIGNIFICANT),
    },
    make=_make,
    # A value that lies on the step is shown as it is: all its digits and the sign.
    leaks=lambda _: MAX_DIGITS + 2,
)
