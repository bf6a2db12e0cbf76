"""The one plain value that goes to a contact channel: the address to call or write to.

It is handed to the channel and to nobody else; it is no part of any answer. What is not one clean
address is none at all, so that nothing in a record can add a second recipient or a header.
"""

import re
import unicodedata

from guard.masking.comparable import ascii_digits
from guard.masking.places import texts_at
from guard.masking.transforms.phone import (
    MAX_DIGITS,
    MIN_DIGITS,
    PLUS,
    is_number,
    without_extension,
)
from guard.rows import RawRecord
from policies.catalogue import FieldRule

# RFC 5321: 64 for the local part, 255 for the domain.
_MAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,255}")


def address(raw: RawRecord, rule: FieldRule) -> str | None:
    """The address of the field's channel, the first where there are several.

    None: the field is no address of a channel, or the record has none that is usable.
    """
    values = texts_at(raw, rule.path)
    if rule.contact is None or not values:
        return None
    value = values[0]
    if any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in value):
        return None
    match rule.contact:
        case "mail":
            return value if _MAIL.fullmatch(value) else None
        case "call":
            return _number(value)
        case _:
            return value


def _number(value: str) -> str | None:
    """`+` and digits, or digits alone where no country is named."""
    number = without_extension(value)
    digits = "".join(c for c in ascii_digits(number) if c.isdecimal())
    if not is_number(number) or not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return None
    return f"+{digits}" if number.startswith(PLUS) else digits
