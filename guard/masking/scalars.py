"""What a leaf of a record may be, and what may leave as JSON.

Sources give scalars of several kinds (a date from SQL, a decimal from a driver). `scalar` brings
them to one closed set or raises; nothing else reaches a transform, and nothing else is shown.
"""

import math
from datetime import date, time
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from guard.masking.graphemes import normal

Scalar: TypeAlias = str | int | float | bool | None

# 64 KiB: the longest text that is scanned or shown; longer ones are redacted, so that one record
# cannot hold up the others.
MAX_TEXT = 65_536

# What JSON readers agree on for integers; SQL has no wider ones.
MAX_INT = 2**63

# A decimal's exponent is free: format(Decimal("1e999999"), "f") would write a million digits.
MAX_DECIMAL_DIGITS = 64


class UnmaskableError(Exception):
    """Raised inside masking when a value does not fit; the field is then redacted and counted.

    Never leaves the room, and never holds the value.
    """


def scalar(value: object) -> Scalar:
    """Bring a raw leaf to a scalar that can be written as JSON.

    Raises:
        UnmaskableError: The value is a container, is too large, or has no JSON form.
        UnicodeEncodeError: The text has no UTF-8 form.
    """
    if isinstance(value, str):
        return _text(value)
    match value:
        case None | bool():
            return value
        case int() if -MAX_INT <= value < MAX_INT:
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            return _written(value)


def _written(value: object) -> str:
    """The text of what drivers give beside JSON's own kinds."""
    match value:
        case Decimal() if value.is_finite() and abs(value.adjusted()) < MAX_DECIMAL_DIGITS:
            return format(value, "f")
        case date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise UnmaskableError("not a scalar that can be shown")


def _text(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise UnmaskableError("longer than any field")
    if not value.isascii():
        value.encode()  # a lone surrogate has no UTF-8 form: UnicodeEncodeError, as any failure
    return value


def text_of(value: Scalar) -> str:
    """The text of a string or an integer in NFC; for transforms that work on characters.

    Raises:
        UnmaskableError: The value is of another type.
    """
    if isinstance(value, str):
        return normal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnmaskableError("not text")
