"""`pan`: a payment card number, checked by its Luhn digit, at most first six and last four.

PCI DSS allows no more. What fails the check is no card number, and is redacted: a mistyped number
is still most of somebody's card.
"""

import re

from guard.masking.checksums import luhn_holds
from guard.masking.comparable import ascii_digits
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError, text_of

STARS = "****"
MIN_DIGITS, MAX_DIGITS = 12, 19

# Below this many digits, first six and last four would leave fewer than five hidden.
MIN_FOR_FIRST = 15

_ALLOWED = re.compile(r"[0-9][0-9 \-]{10,40}")


def _make(params: Params) -> Mask:
    first, last = int(params["first"]), int(params["last"])

    def pan(value: Scalar) -> Scalar:
        text = ascii_digits(text_of(value)).strip()
        if not text:
            return ""
        digits = text.replace(" ", "").replace("-", "")
        is_card = _ALLOWED.fullmatch(text) and MIN_DIGITS <= len(digits) <= MAX_DIGITS
        if not is_card or not luhn_holds(digits):
            raise UnmaskableError("not a card number")
        start = digits[:first] if len(digits) >= MIN_FOR_FIRST else ""
        return start + STARS + digits[len(digits) - last :]

    return pan


TRANSFORM = Transform(
    name="pan",
    version=1,
    params={
        "first": Number(default=0, low=0, high=6),
        "last": Number(default=4, low=0, high=4),
    },
    make=_make,
    leaks=lambda params: int(params["first"]) + int(params["last"]),
)
