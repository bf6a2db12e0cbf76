"""What a reader calls a character: extended grapheme clusters of text in NFC.

Counting code points would cut a family emoji or a letter with its accent in half, and would show
more of a short value than its mask promises.
"""

import unicodedata

import regex  # type: ignore[import-untyped]  # its stubs are not among our tools

_CLUSTER = regex.compile(r"\X")
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")

# A cluster may carry any number of combining or tag characters, enough to smuggle a whole value
# through a mask that counts clusters. The longest emoji in use has 10 code points.
MAX_CLUSTER = 16

HIDDEN_CLUSTER = "*"


def normal(text: str) -> str:
    """NFC, so that equal text has equal clusters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clusters(text: str) -> list[str]:
    """Split into clusters after `normal`; an overlong cluster becomes one star."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found = _CLUSTER.findall(normal(text))
    return [c if len(c) <= MAX_CLUSTER else HIDDEN_CLUSTER for c in found]


def is_dense(text: str) -> bool:
    """Whether any of it is in a script that writes a whole name in two or three clusters."""
    return not text.isascii() and _DENSE.search(text) is not None
