"""Whether what a caller says is what the record holds: yes or no, and nothing else.

Both sides are brought to one form first: composed, case-folded, digits of any script as 0-9,
separators and invisible characters dropped. An e-mail address keeps its punctuation, because there
it tells two people apart. A phone number is compared by its national number where one side names no
country: `0170 1234567` is `+49 170 1234567`.

What is compared are digests of fixed length, in constant time and all of them, also when there is
nothing to compare with: how long it takes does not tell how close a guess came.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable

from guard.masking.comparable import letters_and_digits, same_text
from guard.masking.places import MAX_VALUE, texts_at
from guard.masking.transforms.phone import MIN_DIGITS, country_code, without_extension
from guard.rows import RawRecord
from policies.catalogue import FieldRule

LAST, POSTCODE_END, YEAR = 4, 3, 4
# Of a date and time, the date.
ISO_DATE = 10

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].{1,40})?", re.DOTALL)

# Neither a value nor a claim can be this: normalised text has no control characters.
_NOTHING = "\x00"
_NO_CLAIM = "\x01"

_compare = hmac.compare_digest


def verify(raw: RawRecord, rule: FieldRule, part: str, claim: str) -> bool:
    """Whether `claim` is `part` of the field, or of any item where the field is in a list.

    A part that the rule does not allow, a value that is missing or too short to have such a part,
    and a claim that is not in the form of the part are all False. Never raises for odd data.
    """
    values = texts_at(raw, rule.path) if part in rule.verify else ()
    said = claim if len(claim) <= MAX_VALUE else ""
    if part == "full" and _kind(rule) == "phone":
        return _any_phone(values, said)
    held, wanted = _FORMS.get(part, _no_form)(rule, values, said)
    return _any_equal(held, wanted)


def _kind(rule: FieldRule) -> str:
    """How values of the field are written: as `email`, `phone`, `date`, or any other text."""
    mask = rule.mask.name.partition("@")[0]
    if rule.identifier == "email" or rule.contact == "mail" or mask == "email":
        return "email"
    if rule.identifier == "phone" or rule.contact == "call" or mask == "phone":
        return "phone"
    return "date" if mask == "date_part" else "text"


_Forms = tuple[list[str], str]


def _whole(rule: FieldRule, values: tuple[str, ...], claim: str) -> _Forms:
    kind = _kind(rule)
    if kind == "email":
        return [same_text(v) for v in values], same_text(claim)
    if kind == "date":
        values = tuple(v[:ISO_DATE] if _ISO.fullmatch(v) else v for v in values)
    return [letters_and_digits(v) for v in values], letters_and_digits(claim)


def _end(length: int) -> Callable[[FieldRule, tuple[str, ...], str], _Forms]:
    def end(rule: FieldRule, values: tuple[str, ...], claim: str) -> _Forms:
        if _kind(rule) == "phone":
            values = tuple(without_extension(v) for v in values)
        whole = [letters_and_digits(v) for v in values]
        # Of a value this short the end would be the whole.
        ends = [text[-length:] for text in whole if len(text) > length]
        return ends, letters_and_digits(claim)

    return end


def _year(_rule: FieldRule, values: tuple[str, ...], claim: str) -> _Forms:
    return [v[:YEAR] for v in values if _ISO.fullmatch(v)], letters_and_digits(claim)


def _no_form(_rule: FieldRule, _values: tuple[str, ...], _claim: str) -> _Forms:
    return [], ""


_FORMS: dict[str, Callable[[FieldRule, tuple[str, ...], str], _Forms]] = {
    "full": _whole,
    "last4": _end(LAST),
    "postcode_end": _end(POSTCODE_END),
    "year": _year,
}


def _any_phone(values: tuple[str, ...], claim: str) -> bool:
    said = _Phone(claim)
    held = [_Phone(value) for value in values] or [_Phone("")]
    is_any = False
    for phone in held:
        is_same = _is_equal(phone.international or _NOTHING, said.international or _NO_CLAIM)
        is_alike = _is_equal(phone.national or _NOTHING, said.national or _NO_CLAIM)
        is_any |= is_same | (is_alike & (not (phone.names_country and said.names_country)))
    return is_any


class _Phone:
    """A number as `+<country><national>` and as the national number without its leading zeros.

    Without `+` or `00` it may be either: dialled at home, or abroad with the sign forgotten.
    """

    def __init__(self, text: str) -> None:
        written = same_text(without_extension(text))
        digits = "".join(c for c in written if c in "0123456789")
        self.names_country = written.startswith(("+", "00"))
        digits = digits.removeprefix("00") if written.startswith("00") else digits
        code = country_code(digits)
        behind = digits[len(code) :].lstrip("0")
        self.national = self.international = ""
        if len(digits) >= MIN_DIGITS:
            self.national = behind if self.names_country else digits.lstrip("0")
            self.international = f"+{code}{behind}"


def _any_equal(held: Iterable[str], claim: str) -> bool:
    is_any = False
    for text in [*held, _NOTHING]:
        is_any |= _is_equal(text or _NOTHING, claim or _NO_CLAIM)
    return is_any


def _is_equal(one: str, two: str) -> bool:
    return _compare(_digest(one), _digest(two))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
