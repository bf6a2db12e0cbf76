"""Identifiers in prose: addresses, IBANs, wallets, card and phone numbers, dates, mixed codes.

One pass over the text for each kind, and none for a kind whose rarest character is not there.
What an expression can decide by itself is replaced by the expression; what needs a check digit is
cut out, checked, and put together again at once: a text may be nothing but identifiers, and a call
for each of them would be most of the time. Where a check digit exists it names the finding; a run
of seven or more digits is taken out even where none fits, because a mistyped number still leads to
somebody.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from guard.masking import shapes
from guard.masking.checksums import COUNTRY, base58check_holds, iban_length, luhn_holds
from guard.masking.comparable import ascii_digits
from guard.masking.scalars import UnmaskableError
from guard.masking.shapes import Shape

# Fewer digits than this are amounts, hours, house numbers: what notes are for.
MIN_DIGITS = 7
MAX_PHONE = 15
CARD_DIGITS = range(12, 20)
DATE_LENGTHS = range(6, 11)
SSN_DIGITS = 9

# The shortest wallet: bc1 and eleven.
MIN_WALLET = 14

# The checksum of a wallet only names it; of more words it is not asked.
MAX_HASHED = 500

# What looks like an IBAN and is none is checked at every start; a text with more is not prose.
MAX_MISSES = 1_000

# What cannot be seen (`Default_Ignorable_Code_Point`, `Cf`) and would cut a number in two. Beside
# other letters it may be part of how a word is written (Persian, Hindi) or of an emoji, and stays.
_CHARS = (
    r"[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
UNSEEN = re.compile(_CHARS)
_CUTS = re.compile(
    rf"{_CHARS}(?:(?<=[\d@A-Za-z]{_CHARS}){_CHARS}*+"
    rf"|(?<!{_CHARS}{_CHARS}){_CHARS}*+(?=[\d@A-Za-z]))"
)

_PLUS = ("+", "\uff0b")
_NOT_DIGITS = bytes(code for code in range(128) if not chr(code).isdigit() and code != ord("\n"))


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
    search = _Search(text if text.isascii() else _CUTS.sub("", text))
    search.run()
    return Scrubbed(text=search.text, found=+search.found, checked=search.checked)


class _Search:
    """The passes over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: Counter[str] = Counter()
        self.checked = 0
        self.hashed = 0

    def run(self) -> None:
        if "@" in self.text or "\uff20" in self.text:
            self._replace(shapes.EMAIL, "email")
        if not self._has(shapes.DIGIT):
            return
        self._ibans()
        if self._has(shapes.IPV6_HINT):
            self._replace(shapes.IPV6, "ip")
        if self._has(shapes.IPV4_HINT):
            self._replace(shapes.IPV4, "ip")
        self._replace(shapes.MONTH_FIRST, "date")
        self._replace(shapes.MONTH_LAST, "date")
        if self._has(shapes.MIXED_HINT):
            self._words(shapes.MIXED)
            if "_" in self.text:
                self._words(shapes.MIXED_BEHIND_UNDERSCORE)
        self._numbers()

    def _has(self, shape: Shape) -> bool:
        return shape.over(self.text).search(self.text) is not None

    def _replace(self, shape: Shape, kind: str) -> None:
        """Replace whatever `shape` matches."""
        self.text, n = shape.over(self.text).subn(f"[{kind}]", self.text)
        self.found[kind] += n

    def _ibans(self) -> None:
        """Replace account numbers; the words behind one are often letters too."""
        text = self.text
        kept: list[str] = []
        at = misses = 0
        found = shapes.IBAN.search(text)
        while found is not None:
            start, end = found.start() - COUNTRY, found.end()
            self.checked += end - start
            length = _iban_end(text[start:end])
            if length:
                kept.append(text[at:start])
                at = start + length
            else:
                misses += 1
                if misses > MAX_MISSES:
                    raise UnmaskableError("a text of account numbers that are none")
            # On right behind it, or behind its first digit.
            found = shapes.IBAN.search(text, at if length else found.start() + 1)
        self.found["iban"] += len(kept)
        self.text = "[iban]".join((*kept, text[at:]))

    def _words(self, shape: Shape) -> None:
        """Replace words that mix letters and digits."""

        def name(found: re.Match[str]) -> str:
            word = found[0]
            if len(word) >= MIN_WALLET and self._is_wallet(word):
                self.found["wallet"] += 1
                return "[wallet]"
            return "[number]"

        wallets = self.found["wallet"]
        self.text, n = shape.over(self.text).subn(name, self.text)
        self.found["number"] += n + wallets - self.found["wallet"]

    def _is_wallet(self, word: str) -> bool:
        if shapes.WALLET.fullmatch(word):
            return True
        if self.hashed == MAX_HASHED or not shapes.BASE58.fullmatch(word):
            return False
        self.hashed += 1
        return base58check_holds(word)

    def _numbers(self) -> None:
        """Replace runs of digits by what they are; a plus before one belongs to it."""
        parts = shapes.NUMBER.over(self.text).split(self.text)
        runs = parts[1::2]
        # No run has a line end in it, so all of them can be stripped to their digits at once.
        lines = "\n".join(runs)
        self.checked += len(lines)
        digits = ascii_digits(lines).encode("ascii", "ignore").translate(None, _NOT_DIGITS)
        kinds = list(map(_kind, runs, digits.decode().split("\n")))
        if any(plus in self.text for plus in _PLUS):
            for n, kind in enumerate(kinds):
                if kind and parts[2 * n].endswith(_PLUS):
                    parts[2 * n] = parts[2 * n][:-1]
        parts[1::2] = [f"[{kind}]" if kind else run for kind, run in zip(kinds, runs, strict=True)]
        self.text = "".join(parts)
        self.found.update(filter(None, kinds))


def _kind(run: str, digits: str) -> str:
    """What a run of digits is; empty if nothing that leads to anybody."""
    n = len(digits)
    if len(run) != n and len(run) in DATE_LENGTHS and shapes.DATE.over(run).fullmatch(run):
        return "date"
    if n < MIN_DIGITS:
        return ""
    if n in CARD_DIGITS and luhn_holds(digits):
        return "card"
    if n == SSN_DIGITS != len(run) and shapes.SSN.fullmatch(run):
        return "ssn"
    return "phone" if n <= MAX_PHONE else "number"


def _iban_end(run: str) -> int:
    """Where in `run` an IBAN that begins with it ends; 0 if none does."""
    bare = run.replace(" ", "").replace("-", "")
    length = end = iban_length(bare.upper())
    if len(bare) == len(run):
        return length
    # Separators among the first `length` characters push the end along.
    while length and end - _separators(run, end) < length:
        end = length + _separators(run, end)
    return end


def _separators(run: str, end: int) -> int:
    return run.count(" ", 0, end) + run.count("-", 0, end)
