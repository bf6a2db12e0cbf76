"""The record's own protected values, and taking them out of its free text.

Text and values are compared as runs of letters and digits: composed, case-folded, without accents,
separators and invisible characters. So a card number is found however it is grouped, and a name
however it is written. Plain searching, no patterns made of values: time is linear in the text for
each value, and no value stays behind in a cache of patterns.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from guard.masking.graphemes import normal
from guard.masking.registry import REDACTED
from guard.masking.scalars import MAX_TEXT, UnmaskableError

# A record of more leaves, or nested deeper, is not a customer's: its free text is redacted.
MAX_VALUES = 1_000
MAX_DEPTH = 8

# A value this short is found as a whole word only; shorter ones would shred any text.
SHORTEST, SHORT = 3, 4

# Of a name or an address each word is protected too; of a longer text only the whole.
MAX_WORDY, SHORTEST_WORD = 100, 4

# A phone number is noted with or without its country code: its last digits give it away.
LONG_NUMBER, NUMBER_TAIL = 10, 8

_NOT_ALNUM = {code: None for code in range(128) if not chr(code).isalnum()}
_WORD = re.compile(r"[^\W_]++")


def own_values(record: Mapping[str, object], open_paths: frozenset[str]) -> frozenset[str]:
    """Collect the folded values of a record that free text must not show.

    Args:
        record: The raw values.
        open_paths: Catalogue paths whose values are shown in full, or are free text themselves.

    Raises:
        UnmaskableError: The record is too large or too deep to be sure.
    """
    found: set[str] = set()
    for n, text in enumerate(_leaves(record, "", open_paths, 0)):
        if n >= MAX_VALUES or len(text) > MAX_TEXT:
            raise UnmaskableError("too many or too long values")
        found.update(_variants(text))
    return frozenset(found)


def _leaves(value: object, path: str, open_paths: frozenset[str], depth: int) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        return
    if depth > MAX_DEPTH:
        raise UnmaskableError("nested too deep")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, _below(path, str(name)), open_paths, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, f"{path}[]", open_paths, depth + 1)
    elif path not in open_paths:
        yield str(value)


def _below(path: str, name: str) -> str:
    # A key with a dot or bracket in it must not pass for a path that the catalogue shows.
    step = "?" if "." in name or "[" in name else name
    return f"{path}.{step}" if path else step


def _variants(text: str) -> Iterator[str]:
    whole = folded(text)
    if len(whole) >= SHORTEST:
        yield whole
    if len(text) <= MAX_WORDY:
        for word in _WORD.findall(normal(text)):
            part = folded(word)
            if len(part) >= SHORTEST_WORD:
                yield part
    if whole.isdecimal() and len(whole) >= LONG_NUMBER:
        yield whole[-NUMBER_TAIL:]


def folded(text: str) -> str:
    """The letters and digits of `text` in comparable form."""
    if text.isascii():
        return text.lower().translate(_NOT_ALNUM)
    return "".join(letter for char in text for letter in _fold(char))


def _places(text: str) -> list[int]:
    """Where in `text` each character of `folded(text)` came from."""
    if text.isascii():
        return [place for place, char in enumerate(text) if char.isalnum()]
    return [place for place, char in enumerate(text) for _ in _fold(char)]


def _fold(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    plain = unicodedata.normalize("NFKD", char).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def take_out(text: str, own: frozenset[str]) -> str:
    """Replace every place where one of `own` stands in `text` (NFC) by the constant."""
    plain = folded(text)
    found = [value for value in own if value in plain]
    if not found:
        return text
    places = _places(text)
    spans = sorted(
        span for value in found for span in _spans(text, places, value, _starts(plain, value))
    )
    kept: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            kept.extend((text[at:start], REDACTED))
        at = max(at, end)
    return "".join(kept) + text[at:]


def _starts(plain: str, value: str) -> Iterator[int]:
    start = plain.find(value)
    while start >= 0:
        yield start
        start = plain.find(value, start + 1)


def _spans(
    text: str, places: list[int], value: str, starts: Iterator[int]
) -> Iterator[tuple[int, int]]:
    for start in starts:
        first, end = places[start], places[start + len(value) - 1] + 1
        if len(value) > SHORT or _stands_alone(text, first, end):
            yield first, end


def _stands_alone(text: str, first: int, end: int) -> bool:
    before, after = text[first - 1 : first], text[end : end + 1]
    return not before.isalnum() and not after.isalnum()
