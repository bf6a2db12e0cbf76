"""One form for texts that mean the same, so that they compare, hash and join alike.

Composed, case-folded, digits of any script as 0-9, without what cannot be seen. A change here
changes what joins with what: it is a new version of every transform that uses it.
"""

import unicodedata

import regex  # type: ignore[import-untyped]  # its stubs are not among our tools

_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}]")
_SEPARATORS = regex.compile(r"[^\p{L}\p{M}\p{N}]")


def ascii_digits(text: str) -> str:
    """`text` with every decimal digit as 0-9."""
    if text.isascii():
        return text
    return "".join(str(int(c)) if c.isdecimal() else c for c in text)


def same_text(text: str) -> str:
    """Without case, invisible characters and surplus blanks; punctuation counts."""
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    folded = unicodedata.normalize("NFKC", seen.casefold())
    return " ".join(ascii_digits(folded).split())


def letters_and_digits(text: str) -> str:
    """As `same_text`, without punctuation and blanks."""
    return str(_SEPARATORS.sub("", same_text(text)))
