"""The record's own protected values, and taking them out of its free text.

Text and values are compared as runs of letters and digits: composed, case-folded, without accents,
separators and invisible characters. So a card number is found however it is grouped, and a name
however it is written. Plain searching, no patterns made of values: time is linear in the text for
each value, and no value stays behind in a cache of patterns.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, chain, compress, count, islice, repeat
from operator import add, gt, itemgetter

from guard.masking.comparable import ascii_digits
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

# A ligature may fold to eighteen letters. A text that grows so long is not prose.
MAX_FOLDED = 2 * MAX_TEXT

# Beyond so many values, a look at which can be there at all pays.
MANY = 100

# A value this long stands in a text a few hundred times at most: whether it can overlap itself is
# not worth finding out.
LONG = 256

# Made once: making numbers is most of what counting costs.
_INDEX = tuple(range(MAX_TEXT))

_IS_ALNUM = bytes(chr(code).isascii() and chr(code).isalnum() for code in range(256))
_NOT_ALNUM = bytes(code for code in range(128) if not _IS_ALNUM[code])
_LOWER = bytes(range(256)).lower()
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
    text = normal(text)
    whole = folded(text)
    if len(whole) >= SHORTEST:
        yield whole
    if len(text) <= MAX_WORDY:
        for word in _WORD.findall(text):
            part = folded(word)
            if len(part) >= SHORTEST_WORD:
                yield part
    if whole.isdecimal() and len(whole) >= LONG_NUMBER:
        yield whole[-NUMBER_TAIL:]


def folded(text: str) -> str:
    """The letters and digits of `text` in comparable form.

    Raises:
        UnmaskableError: There are so many that the text is made of ligatures.
    """
    if text.isascii():
        return text.encode().translate(_LOWER, _NOT_ALNUM).decode()
    plain = _plain(text)
    if len(plain) > MAX_FOLDED:
        raise UnmaskableError("a text of ligatures")
    return ascii_digits("".join(_WORD.findall(plain)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).casefold()


class _Widths(dict[int, int]):
    """How many letters and digits each character folds to, worked out when it is first met."""

    def __missing__(self, code: int) -> int:
        width = self[code] = sum(map(str.isalnum, _plain(chr(code))))
        return width


def _places(text: str) -> list[int]:
    """Where in `text` each character of its folded form came from."""
    index: Iterable[int] = _INDEX if len(text) <= len(_INDEX) else count()
    if text.isascii():
        return list(compress(index, text.encode().translate(_IS_ALNUM)))
    widths = text.translate(_Widths()).encode()
    if widths.translate(None, b"\0\1"):
        return list(chain.from_iterable(map(repeat, index, widths)))
    return list(compress(index, widths))


def take_out(text: str, own: frozenset[str]) -> str:
    """Replace every place where one of `own` stands in `text` (NFC) by the constant.

    Raises:
        UnmaskableError: The text is made of the values rather than about them.
    """
    plain = folded(text)
    present = [value for value in _candidates(plain, own) if value in plain]
    if not present:
        return text
    # Most notes name nobody, so places are worked out only where something was found.
    places = _places(text)
    spans: list[tuple[int, int]] = []
    for value in present:
        if len(value) > SHORT:
            spans += _covered(plain, value)
        else:
            spans += _words(text, plain, places, value)
    kept: list[str] = []
    at = 0
    for first, last in _joined(spans):
        kept.append(text[at : places[first]])
        at = places[last - 1] + 1
    kept.append(text[at:])
    return REDACTED.join(kept)


def _joined(spans: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """`spans` in order, those that overlap as one."""
    spans.sort()
    starts, ends = list(map(itemgetter(0), spans)), list(map(itemgetter(1), spans))
    if not any(map(gt, ends, islice(starts, 1, None))):
        return spans
    joined: list[tuple[int, int]] = []
    start, end = spans[0]
    for first, last in spans:
        if first >= end:
            joined.append((start, end))
            start, end = first, last
        elif last > end:
            end = last
    return [*joined, (start, end)]


def _candidates(plain: str, own: frozenset[str]) -> Iterable[str]:
    """Of many values, those whose first letters are in the text at all."""
    if len(own) <= MANY:
        return own
    starts = set(map("".join, zip(plain, plain[1:], plain[2:], strict=False)))
    return [value for value in own if value[:SHORTEST] in starts]


def _covered(plain: str, value: str) -> Iterable[tuple[int, int]]:
    """The stretches of `plain` that `value` covers, overlaps joined."""
    if _overlaps_itself(value):
        return _overlapping(plain, value)
    size = len(value)
    ends = accumulate(map(add, map(len, plain.split(value)[:-1]), repeat(size)))
    return [(end - size, end) for end in ends]


def _overlaps_itself(value: str) -> bool:
    """Whether two places of `value` may share letters: it ends with what it begins with."""
    size = len(value)
    return size > LONG or any(value.endswith(value[:n]) for n in range(1, size // 2 + 1))


def _overlapping(plain: str, value: str) -> Iterator[tuple[int, int]]:
    """As `_covered`, where places may overlap.

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


def _words(text: str, plain: str, places: list[int], value: str) -> Iterator[tuple[int, int]]:
    """Where a short `value` is a word by itself."""
    start = plain.find(value)
    for _ in range(MAX_HITS):
        if start < 0:
            return
        first, end = places[start], places[start + len(value) - 1] + 1
        if not text[first - 1 : first].isalnum() and not text[end : end + 1].isalnum():
            yield start, start + len(value)
        start = plain.find(value, start + 1)
    raise UnmaskableError("a text of nothing but short values")
