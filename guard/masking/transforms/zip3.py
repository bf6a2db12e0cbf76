"""`zip3`: the first digits of a United States ZIP code, `000` where few people live.

Of the prefixes of three digits, those with 20,000 people or fewer are the list of the HIPAA safe
harbour (45 CFR 164.514); shorter prefixes are never few people's. Other countries' postcodes are
redacted: how many people share the start of one is not known here.
"""

import re

from guard.masking.comparable import ascii_digits
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError, text_of

PREFIX = 3
FEW_PEOPLE = frozenset(
    [
        "036",
        "059",
        "063",
        "102",
        "203",
        "556",
        "692",
        "790",
        "821",
        "823",
        "830",
        "831",
        "878",
        "879",
        "884",
        "890",
        "893",
    ]
)

_ZIP = re.compile(r"[0-9]{5}(?:-?[0-9]{4})?")


def _make(params: Params) -> Mask:
    n = int(params["n"])

    def zip3(value: Scalar) -> Scalar:
        text = ascii_digits(text_of(value)).strip()
        if not text:
            return ""
        if not _ZIP.fullmatch(text):
            raise UnmaskableError("not a ZIP code")
        return "000" if text[:n] in FEW_PEOPLE else text[:n]

    return zip3


TRANSFORM = Transform(
    name="zip3",
    version=1,
    params={"n": Number(default=PREFIX, low=1, high=PREFIX)},
    make=_make,
    leaks=lambda params: int(params["n"]),
)
