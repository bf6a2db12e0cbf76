"""What a reader calls a character: extended grapheme clusters of text in NFC.

Counting code points would cut a family emoji or a letter with its accent in half, and would show
more of a short value than its mask promises.
"""

import unicodedata

import regex  # type: ignore[import-untyped]  # its stubs are not among our tools

_CLUSTER = regex.compile(r"\X")
# What takes a place and shows nothing must not stand for one of the characters that stay hidden.
_NOTHING = regex.compile(r"(?!\p{Join_Control})[\p{Default_Ignorable_Code_Point}\p{Cf}]")
_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Z}]++")
_SEPARATOR = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Z}\-.()+/]++")
_ASCII_SEPARATORS = dict.fromkeys(range(33)) | dict.fromkeys(map(ord, "-.()+/\x7f"))
# Composing puts the marks on one letter in order, in time that grows with the square of their
# number. Unicode's stream-safe format (UAX 15) bounds it: a joiner after every thirtieth.
_STACK = regex.compile(r"\P{Canonical_Combining_Class=0}{30}(?=\P{Canonical_Combining_Class=0})")
_JOINER = "\u034f"
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")

# A cluster may carry any number of combining or tag characters, enough to smuggle a whole value
# through a mask that counts clusters. The longest emoji in use has 10 code points.
MAX_CLUSTER = 16

HIDDEN_CLUSTER = "*"


def steady(text: str) -> str:
    """`text` with no more marks on one letter than can be put in order in linear time."""
    if text.isascii():
        return text
    return str(_STACK.sub(lambda marks: marks[0] + _JOINER, text))


def normal(text: str) -> str:
    """NFC, so that equal text has equal clusters."""
    return text if text.isascii() else unicodedata.normalize("NFC", steady(text))


def clusters(text: str) -> list[str]:
    """Split into clusters after `normal`; an overlong cluster becomes one star."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found = _CLUSTER.findall(normal(text))
    return [c if len(c) <= MAX_CLUSTER else HIDDEN_CLUSTER for c in found]


def visible(text: str) -> list[str]:
    """The clusters that can be seen."""
    return [c for c in clusters(text) if not _UNSEEN.fullmatch(c)]


def without_unseen(text: str) -> str:
    """The text without what takes a place and shows nothing; blanks and line ends stay."""
    return text if text.isascii() else str(_NOTHING.sub("", text))


def without_separators(text: str) -> list[str]:
    """The clusters that can be seen and do not merely group the others."""
    if text.isascii():
        return list(text.translate(_ASCII_SEPARATORS))
    return [c for c in clusters(text) if not _SEPARATOR.fullmatch(c)]


def is_dense(text: str) -> bool:
    """Whether any of it is in a script that writes a whole name in two or three clusters."""
    return not text.isascii() and _DENSE.search(text) is not None
