"""What identifies a customer to other people, in one spelling, and its blind index.

An e-mail address, a phone number, an account number, or a full name with a date of birth: each kind
has one normal form, so that what a customer spells out is found however it was typed. The form is
compared whole: there is no prefix, no wildcard, no "sounds like", because each of them lists
customers to whoever asks often enough.

The index is HMAC-SHA256 under a key of the tenant and the kind, over the version and the normal
form, cut to 16 bytes. Whoever holds the database can test no guess; whoever holds the tenant's key
can, as for source keys. 128 bits keep two values of a billion apart (chance 2**-69) and halve the
table. Shorter indexes, which make values collide on purpose, are of no use here: a collision would
hand out another customer's reference.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hmac import digest
from types import MappingProxyType

from guard.clock import from_rfc3339
from guard.errors import InvalidRequestError
from guard.vault.envelope import place

# A normal form that changes needs another version, and the index built anew.
FORMS_V1 = b"\x01"
BLIND_SIZE = 16

# The longest identifier that anybody has: an e-mail address of RFC 5321.
MAX_VALUE = 254
MAX_LOCAL = 64
MIN_PHONE, MAX_PHONE = 7, 15
MIN_ACCOUNT, MAX_ACCOUNT = 4, 34

_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@[^\s@\"(),:;<>\[\]\\.]+(?:\.[^\s@\"(),:;<>\[\]\\.]+)+")
# From the first of these on, what is dialled after the number.
_EXTENSION = re.compile(r"(?:;|,|#|ext|x|доб|内線).*\Z", re.IGNORECASE | re.DOTALL)
_PHONE = re.compile(r"\+?[0-9]+")
_PUNCTUATION = frozenset(" \t-.()/[]_\u00a0\u2010\u2011\u2012\u2013\u2014\u202f\u30fc")
_ACCOUNT = re.compile(r"[A-Z0-9]+")
_SEPARATORS = re.compile(r"[\s\-./_]+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_NAME_DATE = re.compile(r"(.+?)[\s,;|/]+([0-9]{4}-[0-9]{2}-[0-9]{2})", re.DOTALL)

_ACCENTS = frozenset(map(chr, range(0x0300, 0x0370)))
_POINTS = range(10, 36)  # combining classes

# What stands before a national number and not behind the country's code; everywhere else it is a 0.
_TRUNK: Mapping[str, str] = MappingProxyType({"1": "1", "7": "8", "39": "", "378": ""})


class IdentifierKind(StrEnum):
    """What a customer can be found by, exactly."""

    EMAIL = "email"
    PHONE = "phone"
    ACCOUNT = "account"
    NAME_BIRTH_DATE = "name_birth_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalForms:
    """One spelling for every identifier.

    `calling_code` is the country whose national phone numbers are understood (`34`); empty: a
    number needs its country code.
    """

    calling_code: str = ""

    def of(self, kind: str, value: str) -> str:
        """The normal form of `value`.

        Raises:
            InvalidRequestError: There is no such kind, or the value cannot be one of it.
        """
        if kind not in set(IdentifierKind):
            raise InvalidRequestError("there is no such kind: use one of " + ", ".join(_FORMS))
        if len(value) > MAX_VALUE:
            raise InvalidRequestError(f"an identifier has at most {MAX_VALUE} characters")
        return _FORMS[IdentifierKind(kind)](_visible(value), self.calling_code)


def blind_identifier(key: bytes, normal: str) -> bytes:
    """The 16 bytes that stand for a normal form in the store; `key` is of one tenant and kind."""
    return digest(key, place(FORMS_V1, "identifier", "blind", normal), "sha256")[:BLIND_SIZE]


def _visible(value: str) -> str:
    """Compatibility form, without marks that nobody sees (a pasted number brings some), trimmed."""
    # Before the composition, which could join what they kept apart.
    seen = "".join(c for c in value if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", seen).strip()


def _email(value: str, _code: str) -> str:
    # Folding may decompose again; dots and plus signs mean something to some providers, so stay.
    address = unicodedata.normalize("NFKC", value.casefold())
    local, _, _ = address.rpartition("@")
    if (
        not _EMAIL.fullmatch(address)
        or not address.isprintable()
        or not 0 < len(local) <= MAX_LOCAL
        or len(address) > MAX_VALUE
    ):
        raise InvalidRequestError("this is no e-mail address: give it whole, `name@example.com`")
    return address


def _phone(value: str, code: str) -> str:
    number = _EXTENSION.sub("", value)
    is_international = number.lstrip("([").startswith("+")
    if is_international or number.startswith("00"):
        # Some write the trunk prefix into the international form: +49 (0)151.
        number = number.replace("(0)", "")
    digits = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in number if c not in _PUNCTUATION
    )
    if not _PHONE.fullmatch(digits):
        raise _no_phone()
    if len(digits.lstrip("+")) < MIN_PHONE:
        # Also of a national number: its last digits alone are no number.
        raise _no_phone()
    if digits.startswith("+"):
        digits = digits[1:]
    elif digits.startswith("00"):
        digits = digits[2:]
    elif code:
        digits = code + digits.removeprefix(_TRUNK.get(code, "0"))
    else:
        raise InvalidRequestError("write the phone number with its country code, such as +34")
    if len(digits) > MAX_PHONE or digits.startswith("0"):
        raise _no_phone()
    return "+" + digits


def _no_phone() -> InvalidRequestError:
    return InvalidRequestError(
        f"this is no phone number: give all its {MIN_PHONE} to {MAX_PHONE} digits"
    )


def _account(value: str, _code: str) -> str:
    number = _SEPARATORS.sub("", "".join(_ascii_digit(c) for c in value)).upper()
    if (
        not _ACCOUNT.fullmatch(number)
        or not MIN_ACCOUNT <= len(number) <= MAX_ACCOUNT
        or not any(c.isdigit() for c in number)
    ):
        raise InvalidRequestError(
            f"this is no account number: give all its {MIN_ACCOUNT} to {MAX_ACCOUNT} characters"
        )
    if _IBAN.fullmatch(number) and not _iban_holds(number):
        raise InvalidRequestError("the check digits of this IBAN do not fit: read it again")
    return number


def _ascii_digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def _iban_holds(number: str) -> bool:
    turned = number[4:] + number[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _name_birth_date(value: str, _code: str) -> str:
    found = _NAME_DATE.fullmatch("".join(_ascii_digit(c) for c in value))
    if found is None or not _is_day(found[2]):
        raise _no_name()
    bare = unicodedata.normalize("NFKD", found[1].casefold())
    kept = "".join(c if _is_of_a_word(c) else " " for c in bare if not _is_accent(c))
    words = kept.split()
    if not words:
        raise _no_name()
    return f"{' '.join(words)}|{found[2]}"


def _is_accent(char: str) -> bool:
    """Marks that people leave out: accents, and the vowel points of Hebrew and Arabic.

    The vowel signs of other scripts are letters to those who write them, and stay.
    """
    return char in _ACCENTS or unicodedata.combining(char) in _POINTS


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _no_name() -> InvalidRequestError:
    return InvalidRequestError("give the full name and the date of birth, as 1984-03-09")


def _is_day(text: str) -> bool:
    try:
        from_rfc3339(f"{text}T00:00:00Z")
    except ValueError:
        return False
    return True


_FORMS: Mapping[IdentifierKind, Callable[[str, str], str]] = MappingProxyType(
    {
        IdentifierKind.EMAIL: _email,
        IdentifierKind.PHONE: _phone,
        IdentifierKind.ACCOUNT: _account,
        IdentifierKind.NAME_BIRTH_DATE: _name_birth_date,
    }
)
