"""One form for texts that mean the same, so that they compare, hash and join alike.

Composed, case-folded, digits of any script as 0-9, without what cannot be seen. A change here
changes what joins with what: it is a new version of every transform that uses it.
"""

import re
import unicodedata

import regex  # type: ignore[import-untyped]  # its stubs are not among our tools

from guard.masking.graphemes import steady

_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}]")
_SEPARATORS = regex.compile(r"[^\p{L}\p{M}\p{N}]")


class _Digits(dict[int, int]):
    """The ASCII digit of each decimal digit, and every other character itself, once it was met."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        self[code] = ord(str(int(char))) if char.isdecimal() else code
        return self[code]


def ascii_digits(text: str) -> str:
    """`text` with every decimal digit as 0-9."""
    if text.isascii() or not _OTHER_DIGIT.search(text):
        return text
    # A table of this text's own: what is kept between texts would have to be bounded.
    return text.translate(_Digits())


def same_text(text: str) -> str:
    """Without case, invisible characters and surplus blanks; punctuation counts."""
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFKC", steady(text)))
    folded = unicodedata.normalize("NFKC", steady(seen.casefold()))
    return " ".join(ascii_digits(folded).split())


def letters_and_digits(text: str) -> str:
    """As `same_text`, without punctuation and blanks."""
    return str(_SEPARATORS.sub("", same_text(text)))
