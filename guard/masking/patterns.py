"""Identifiers in prose: e-mail addresses, IBANs, card and phone numbers, dates, mixed codes.

Every pattern reads the text once: runs are possessive and begin where the run begins, so time is
linear in the length whatever the text. Where a check digit exists it names the finding; a run of
seven or more digits is taken out even where none fits, because a mistyped number still leads to
somebody.
"""

import re

from guard.masking.checksums import iban_length, luhn_holds

# Fewer digits than this are amounts, hours, house numbers: what notes are for.
MIN_DIGITS = 7
MAX_PHONE = 15
CARD_DIGITS = range(12, 20)

# Letters and digits in one word: passports, plates, wallets, ids.
MIN_CODE, MIN_CODE_DIGITS = 6, 4

_EMAIL = re.compile(r"(?<![\w.%+\-])[\w.%+\-]++@[\w\-]++(?:\.[\w\-]++)*+")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ \-]?[A-Za-z0-9]){11,30}")
_DIGITS = re.compile(r"\+?(?<!\d)\d(?:[ \-./()\u00a0\u2010\u2011]{0,3}\d)*+")
_CODE = re.compile(r"(?<![^\W_])(?:[^\W\d_]++\d|\d++[^\W\d_])[^\W_]*+")
_DIGIT = re.compile(r"\d")
_DATE = re.compile(
    r"(?:\d{4}[\-./]\d{1,2}[\-./]\d{1,2}|\d{1,2}[\-./ ]\d{1,2}[\-./ ](?:\d{4}|\d{2}))"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_WRITTEN_DATE = re.compile(
    rf"(?<![^\W_])(?:\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?{_MONTH}\.?"
    rf"|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?)(?:,? \d{{4}})?(?![^\W_])",
    re.IGNORECASE,
)


def scrub(text: str) -> str:
    """Replace each finding by its kind in brackets."""
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    if not _DIGIT.search(text):
        return text
    text = _without_ibans(text)
    text = _WRITTEN_DATE.sub("[date]", text)
    text = _CODE.sub(_code, text)
    return _DIGITS.sub(_run, text)


def _without_ibans(text: str) -> str:
    kept: list[str] = []
    at = 0
    found = _IBAN.search(text)
    while found is not None:
        length = _iban_length(found[0])
        end = found.start() + length if length else found.start() + 1
        kept.append(text[at : found.start()] + ("[iban]" if length else text[found.start()]))
        at = end
        # The first words behind a number are often letters too: only what the check digits cover
        # is taken out, and the search goes on right behind it.
        found = _IBAN.search(text, at)
    return "".join(kept) + text[at:]


def _iban_length(run: str) -> int:
    places = [i for i, c in enumerate(run) if c.isalnum()]
    compact = "".join(run[i] for i in places).upper()
    length = iban_length(compact)
    return places[length - 1] + 1 if length else 0


def _code(found: re.Match[str]) -> str:
    word = found[0]
    n = sum(c.isdecimal() for c in word)
    is_code = len(word) >= MIN_CODE and n >= MIN_CODE_DIGITS
    return "[number]" if is_code else word


def _run(found: re.Match[str]) -> str:
    run = found[0]
    if _DATE.fullmatch(run):
        return "[date]"
    digits = "".join(str(int(c)) for c in run if c.isdecimal())
    if len(digits) < MIN_DIGITS:
        return run
    if len(digits) in CARD_DIGITS and luhn_holds(digits):
        return "[card]"
    return "[phone]" if len(digits) <= MAX_PHONE else "[number]"
