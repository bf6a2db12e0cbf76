"""`phone`: five stars and the last digits, with the country code if the policy says.

Extensions are dropped, punctuation is not shown. A number of fewer than seven digits is hidden
whole, and so is one whose shown digits would leave fewer than four hidden.
"""

import re

from guard.masking.comparable import ascii_digits
from guard.masking.registry import Flag, Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError, text_of

STARS = "*****"
MIN_DIGITS = 7
MAX_DIGITS = 20
MIN_HIDDEN = 4
PLUS = ("+", "\uff0b")

_EXTENSION = re.compile(r"(?:;|#|,|ext|x).{0,40}\Z", re.IGNORECASE | re.DOTALL)
# Digits of any script; the second plus is the full-width one.
_NUMBER = re.compile(r"[+\uff0b]?[\d\s\-.()/]{1,64}")

# ITU-T E.164 country codes of one and two digits; all others have three.
_SHORT_CODES = frozenset(
    str(code)
    for zone in (
        (1, 7, 20, 27),
        range(30, 35),
        (36, 39, 40, 41),
        range(43, 50),
        range(51, 59),
        range(60, 67),
        (81, 82, 84, 86),
        range(90, 96),
        (98,),
    )
    for code in zone
)
LONGEST_CODE = 3


def _make(params: Params) -> Mask:
    last, keeps_country = int(params["last"]), bool(params["keep_country"])

    def phone(value: Scalar) -> Scalar:
        text = ascii_digits(without_extension(text_of(value)))
        if not text:
            return "" if value == "" else STARS
        if not is_number(text):
            raise UnmaskableError("not a phone number")
        digits = "".join(c for c in text if c in "0123456789")
        if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
            return STARS
        country = country_code(digits) if keeps_country and text.startswith(PLUS) else ""
        if len(digits) - len(country) - last < MIN_HIDDEN:
            return STARS
        start = f"+{country} " if country else ""
        return start + STARS + digits[len(digits) - last :]

    return phone


def without_extension(text: str) -> str:
    """The number without what is dialled behind it."""
    return _EXTENSION.sub("", text.strip()).strip()


def is_number(text: str) -> bool:
    """Whether nothing but digits of any script and their separators stand in `text`."""
    return _NUMBER.fullmatch(text) is not None


def country_code(digits: str) -> str:
    """The country code that international `digits` begin with."""
    for length in range(1, LONGEST_CODE):
        if digits[:length] in _SHORT_CODES:
            return digits[:length]
    return digits[:LONGEST_CODE]


def _leaks(params: Params) -> int:
    return int(params["last"]) + (LONGEST_CODE if params["keep_country"] else 0)


TRANSFORM = Transform(
    name="phone",
    version=1,
    params={
        "last": Number(default=2, low=0, high=4),
        "keep_country": Flag(default=False),
    },
    make=_make,
    leaks=_leaks,
)
