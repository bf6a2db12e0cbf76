"""The record's own protected values, and taking them out of its free text.

Text and values are compared as runs of letters and digits: composed, case-folded, without accents,
separators and invisible characters. So a card number is found however it is grouped, and a name
however it is written. Plain searching, no patterns made of values: time is linear in the text for
each value, and no value stays behind in a cache of patterns.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, compress, count

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

# Places of one short value that are looked at; a text with more is not prose.
MAX_HITS = 2_000

# Beyond so many values, a look at which can be there at all pays.
MANY = 100

# Characters whose folded form is kept; more than any note is written in.
MAX_FOLDS = 20_000

# Characters that are folded and placed together.
BLOCK = 256

_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_IS_ALNUM = bytes(chr(code).isascii() and chr(code).isalnum() for code in range(256))
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


class _Folds(dict[int, str]):
    """What each character folds to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        letters = folded(chr(code))
        if len(self) < MAX_FOLDS:
            self[code] = letters
        return letters


_FOLDS = _Folds()


def folded(text: str) -> str:
    """The letters and digits of `text` in comparable form."""
    if text.isascii():
        return text.lower().translate(_NOT_ALNUM)
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(filter(str.isalnum, _OTHER_DIGIT.sub(lambda d: str(int(d[0])), plain)))


class _Folding:
    """A text and its folded form, and where in the text each character of that came from.

    Places are worked out block by block, where something was found: most of a note is never asked
    for.
    """

    def __init__(self, text: str) -> None:
        self._blocks = [text[i : i + BLOCK] for i in range(0, len(text), BLOCK)]
        parts = [folded(block) for block in self._blocks]
        self._ends = list(accumulate(map(len, parts)))
        self._known: dict[int, list[int]] = {}
        self.plain = "".join(parts)

    def place(self, offset: int) -> int:
        """Where the character at `offset` of `plain` stands in the text."""
        n = bisect_right(self._ends, offset)
        places = self._known.get(n)
        if places is None:
            places = self._known[n] = _places(self._blocks[n], n * BLOCK)
        # Counted from the block's end, which is known, so below nought.
        return places[offset - self._ends[n]]


def _places(block: str, start: int) -> list[int]:
    if block.isascii():
        return list(compress(count(start), block.encode().translate(_IS_ALNUM)))
    return [place for place, char in enumerate(block, start) for _ in _FOLDS[ord(char)]]


def take_out(text: str, own: frozenset[str]) -> str:
    """Replace every place where one of `own` stands in `text` (NFC) by the constant.

    Raises:
        UnmaskableError: The text is made of the values rather than about them.
    """
    folding = _Folding(text)
    spans: list[tuple[int, int]] = []
    for value in _candidates(folding.plain, own):
        if len(value) > SHORT:
            spans += _covered(folding.plain, value)
        elif value in folding.plain:
            spans += _words(text, folding, value)
    if not spans:
        return text
    kept: list[str] = []
    at = 0
    for first, last in _joined(spans):
        start, end = folding.place(first), folding.place(last - 1) + 1
        kept += (text[at:start], REDACTED)
        at = end
    return "".join(kept) + text[at:]


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """`spans` in order, those that overlap as one."""
    spans.sort()
    start, end = spans[0]
    for first, last in spans:
        if first >= end:
            yield start, end
            start = first
        end = max(end, last)
    yield start, end


def _candidates(plain: str, own: frozenset[str]) -> Iterable[str]:
    """Of many values, those whose first letters are in the text at all."""
    if len(own) <= MANY:
        return own
    starts = set(map("".join, zip(plain, plain[1:], plain[2:], strict=False)))
    return [value for value in own if value[:SHORTEST] in starts]


def _covered(plain: str, value: str) -> Iterator[tuple[int, int]]:
    """The stretches of `plain` that `value` covers, overlaps joined.

    From each place the search jumps to the last one that overlaps it, so that a run of one letter
    costs no more than any other text.
    """
    size = len(value)
    start = plain.find(value)
    while start >= 0:
        end = start + size
        last = plain.rfind(value, end - size + 1, end + size - 1)
        while last >= 0:
            end = last + size
            last = plain.rfind(value, end - size + 1, end + size - 1)
        yield start, end
        start = plain.find(value, end)


def _words(text: str, folding: _Folding, value: str) -> Iterator[tuple[int, int]]:
    """Where a short `value` is a word by itself."""
    start = folding.plain.find(value)
    for _ in range(MAX_HITS):
        if start < 0:
            return
        first, end = folding.place(start), folding.place(start + len(value) - 1) + 1
        if not text[first - 1 : first].isalnum() and not text[end : end + 1].isalnum():
            yield start, start + len(value)
        start = folding.plain.find(value, start + 1)
    raise UnmaskableError("a text of nothing but short values")
