"""Identifiers in prose: addresses, IBANs, wallets, card and phone numbers, dates, mixed codes.

Every pattern reads the text once: what repeats without end is possessive and begins where the run
begins, so time is linear in the length whatever the text. Where a check digit exists it names the
finding; a run of seven or more digits is taken out even where none fits, because a mistyped number
still leads to somebody.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

import regex  # type: ignore[import-untyped]  # its stubs are not among our tools

from guard.masking.checksums import base58check_holds, iban_length, luhn_holds
from guard.masking.comparable import ascii_digits
from guard.masking.scalars import UnmaskableError

# Fewer digits than this are amounts, hours, house numbers: what notes are for.
MIN_DIGITS = 7
MAX_PHONE = 15
CARD_DIGITS = range(12, 20)
# The shortest date: 1.2.90. A run of fewer than four digits is nothing.
MIN_RUN = 6

# Letters and digits in one word: passports, plates, wallets, ids. A long one is a key or a token.
MIN_CODE, MIN_CODE_DIGITS, LONG_CODE = 6, 4, 20

# What looks like an IBAN and is none is checked at every start; a text with more is not prose.
MAX_MISSES = 1_000

MAX_OCTET = 255
# Colons of an IPv6 address without `::`.
V6_COLONS = 7
MAX_IP = 45
# Letters of the country before the digits of an IBAN.
COUNTRY = 2

# Blanks, dashes and marks that may group the digits of one number, as people and desks write them.
_GAP = (
    r"[ \t_\-./()\u00a0\u00b7\u0300-\u036f\u2000-\u200a\u2010-\u2015\u202f\u205f\u20e3\u2212"
    r"\u3000\ufe58\ufe63\uff08\uff09\uff0d-\uff0f]"
)

# Each pattern begins with the character that is rarest in prose and looks back from there: the
# scan for it is one tight loop.
_AT = re.compile(r"[@\uff20]")
_DOMAIN = re.compile(r"[\w\-]++(?:\.[\w\-]++)*+")
_IBAN = re.compile(
    r"[0-9](?<=[A-Za-z]{2}[0-9])(?<![A-Za-z0-9][A-Za-z]{2}[0-9])[0-9](?:[ \-]?[A-Za-z0-9]){11,30}"
)
_IPV4 = re.compile(r"\d(?<![\w.]\d)\d{0,2}(?:\.\d{1,3}){3}(?![^\W_]|\.\d)")
_IPV6 = re.compile(r":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*+(?:\.\d{1,3}){0,3}")
_DIGITS = re.compile(rf"\d(?<!\d\d)(?:{_GAP}{{0,3}}\d){{3,}}+")
_CODE = re.compile(r"\d(?:(?<=[^\W\d_]\d)|(?=[^\W\d_]))")
_WORD = re.compile(r"[^\W_]*+")
_WALLET = re.compile(
    r"(?:0x[0-9A-Fa-f]{40}|(?:bc|tb|ltc)1[02-9ac-hj-np-z]{11,87}"
    r"|(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{11,87})"
)
_BASE58 = re.compile(r"[13mn2LM][1-9A-HJ-NP-Za-km-z]{25,34}")
_DIGIT = re.compile(r"\d")
_DATE = re.compile(
    r"(?:\d{4}[\-./]\d{1,2}[\-./]\d{1,2}|\d{1,2}[\-./ ]\d{1,2}[\-./ ](?:\d{4}|\d{2}))"
)
_SSN = re.compile(r"(?!000|666|9)\d{3}([ \-])(?!00)\d{2}\1(?!0000)\d{4}")
_MONTH = (
    r"[JFMASOND](?<![^\W_][JFMASOND])(?:an|eb|ar|pr|ay|un|ul|ug|ep|ct|ov|ec)[a-z]{0,6}\.?"
).replace("JFMASOND", "JFMASONDjfmasond")
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:,? \d{4})?(?![^\W_])"
_MONTH_FIRST = re.compile(rf"{_MONTH} {_NTH}{_YEAR}")
_MONTH_LAST = re.compile(rf"\d(?<![^\W_]\d)\d?(?:st|nd|rd|th)?\.? (?:of )?{_MONTH}{_YEAR}")

# What cannot be seen and would cut a number in two. Beside other letters it may be part of how a
# word is written (Persian, Hindi) or of an emoji, and stays.
_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cf}]++")
_JOINED = re.compile(r"[\d@A-Za-z]")

_LOCAL = frozenset("._%+-")
_HEX = frozenset("0123456789ABCDEFabcdef")
_PLUS = "+\uff0b"

_NO_DIGITS = dict.fromkeys(range(ord("0"), ord("9") + 1))
_ONLY_DIGITS = {code: None for code in range(128) if not chr(code).isdecimal()}


# Where something begins and ends, and its kind; no kind: it is nothing, look on behind its end.
_Found: TypeAlias = tuple[int, int, str]
_Reader: TypeAlias = Callable[[str, re.Match[str], int], _Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """A text without identifiers: how many of each kind there were, never which.

    `checked` is the number of characters that were handed to a check beyond the patterns' own pass.
    """

    text: str
    found: Mapping[str, int]
    checked: int


def scrub(text: str) -> str:
    """Replace each finding by its kind in brackets.

    Raises:
        UnmaskableError: The text is no prose.
    """
    return find(text).text


def find(text: str) -> Scrubbed:
    """As `scrub`, with what was found."""
    search = _Search()
    return Scrubbed(text=search.run(text), found=search.found, checked=search.checked)


class _Search:
    """One pass over one text."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.checked = 0

    def run(self, text: str) -> str:
        if not text.isascii():
            text = _seen(text)
        text = self._each(_AT, text, _address)
        if not _DIGIT.search(text):
            return text
        text = self._each(_IBAN, text, _iban)
        text = self._each(_IPV6, text, _ipv6)
        text = self._each(_IPV4, text, _ipv4)
        for dates in (_MONTH_FIRST, _MONTH_LAST):
            text = self._each(dates, text, _date)
        text = self._each(_CODE, text, _code)
        return self._each(_DIGITS, text, _number)

    def _each(self, pattern: re.Pattern[str], text: str, read: _Reader) -> str:
        """Replace what `read` makes of each match by its kind."""
        found = pattern.search(text)
        if found is None:
            return text
        kept: list[str] = []
        at = misses = 0
        while found is not None:
            start, end, kind = read(text, found, at)
            self.checked += end - start
            if kind:
                kept += (text[at:start], f"[{kind}]")
                self.found[kind] += 1
                at = end
            misses += read is _iban and not kind
            if misses > MAX_MISSES:
                raise UnmaskableError("a text of account numbers that are none")
            found = pattern.search(text, end)
        return "".join((*kept, text[at:]))


def _address(text: str, found: re.Match[str], at: int) -> _Found:
    """An e-mail address round an `@`, not further back than `at`."""
    domain = _DOMAIN.match(text, found.end())
    start = found.start()
    if domain is None:
        return start, found.end(), ""
    while start > at and (text[start - 1].isalnum() or text[start - 1] in _LOCAL):
        start -= 1
    is_address = start < found.start()
    return start, domain.end() if is_address else found.end(), "email" if is_address else ""


def _iban(text: str, found: re.Match[str], _at: int) -> _Found:
    """An account number behind its two letters; the words behind it are often letters too."""
    start = found.start() - COUNTRY
    length = _iban_end(text[start : found.end()])
    # The search goes on right behind it, or behind its first digit.
    return start, start + length if length else found.start() + 1, "iban" if length else ""


def _ipv6(text: str, found: re.Match[str], at: int) -> _Found:
    start, end = found.span()
    while start > at and text[start - 1] in _HEX:
        start -= 1
    run = text[start:end]
    n = run.count(":")
    is_alone = not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
    is_whole = "::" in run if n < V6_COLONS else n == V6_COLONS
    if is_alone and is_whole and MIN_RUN <= len(run) <= MAX_IP and _is_ip(run):
        return start, end, "ip"
    return start, end, ""


def _is_ip(run: str) -> bool:
    try:
        ip_address(run)
    except ValueError:
        return False
    return True


def _ipv4(_text: str, found: re.Match[str], _at: int) -> _Found:
    start, end = found.span()
    is_ip = all(int(octet) <= MAX_OCTET for octet in found[0].split("."))
    return start, end, "ip" if is_ip else ""


def _date(_text: str, found: re.Match[str], _at: int) -> _Found:
    return *found.span(), "date"


def _code(text: str, found: re.Match[str], at: int) -> _Found:
    """The word round a digit that stands beside a letter."""
    start = found.start()
    while start > at and text[start - 1].isalnum():
        start -= 1
    # The pattern is of one digit, so the word goes on at least to its end.
    end = _WORD.match(text, found.end()).end()  # type: ignore[union-attr]  # matches nothing, too
    word = text[start:end]
    if len(word) < MIN_CODE:
        return start, end, ""
    if _WALLET.fullmatch(word) or (_BASE58.fullmatch(word) and base58check_holds(word)):
        return start, end, "wallet"
    n = len(word) - len(word.translate(_NO_DIGITS)) if word.isascii() else _count(word)
    is_code = n >= MIN_CODE_DIGITS or len(word) >= LONG_CODE
    return start, end, "number" if is_code else ""


def _number(text: str, found: re.Match[str], at: int) -> _Found:
    """What a run of digits is; a plus before it belongs to it."""
    start, end = found.span()
    run = found[0]
    start -= start > at and text[start - 1] in _PLUS
    if len(run) < MIN_RUN:
        return start, end, ""
    if _DATE.fullmatch(run):
        return start, end, "date"
    digits = (run if run.isascii() else ascii_digits(run)).translate(_ONLY_DIGITS)
    if not digits.isascii():
        digits = "".join(c for c in digits if c.isascii())
    return start, end, _kind(run, digits) if len(digits) >= MIN_DIGITS else ""


def _kind(run: str, digits: str) -> str:
    if len(digits) in CARD_DIGITS and luhn_holds(digits):
        return "card"
    if _SSN.fullmatch(run):
        return "ssn"
    return "phone" if len(digits) <= MAX_PHONE else "number"


def _count(word: str) -> int:
    return sum(map(str.isdecimal, word))


def _iban_end(run: str) -> int:
    """Where in `run` an IBAN that begins with it ends; 0 if none does."""
    length = iban_length(run.replace(" ", "").replace("-", "").upper())
    end = length
    # Separators among the first `length` characters push the end along.
    while length and end - _separators(run, end) < length:
        end = length + _separators(run, end)
    return end


def _separators(run: str, end: int) -> int:
    return run.count(" ", 0, end) + run.count("-", 0, end)


def _seen(text: str) -> str:
    """`text` without what cannot be seen beside a digit, an `@` or a Latin letter."""

    def join(found: re.Match[str]) -> str:
        start, end = found.span()
        beside = text[start - 1 : start] + text[end : end + 1]
        return "" if _JOINED.search(beside) else found[0]

    return str(_UNSEEN.sub(join, text))
