"""What to do about a policy that Cedar's validator refuses, in the words of this house.

Cedar says precisely what does not fit and not what would; it knows no more than the schema. Here
its sentence gets an end that names the words that exist, the likeliest first.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import get_type_hints

from policies.model import Act, Facts

_FACTS: Mapping[str, type] = get_type_hints(Facts)
_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {kind.__name__: tuple(kind) for kind in _FACTS.values() if issubclass(kind, StrEnum)}
    | {"Request": tuple(Act)}
)
_ATTRIBUTE = re.compile(r"attribute `(\w+)` in context")
_OF_ENTITY = re.compile(r"attribute `(\w+)` on entity type")
_VALUE = re.compile(r'entity `(\w+)::"([^"]*)"` is of an enumerated')
_TYPE = re.compile(r"unrecognized entity type `(\w+)`")
_ACTION = re.compile("unrecognized action")
_KIND = re.compile("types|unexpected type")
_WORD = re.compile(r'"(\w+)"`|`(\w+)`')


def hint(message: str) -> str:
    """What to write instead, or '' where Cedar's own sentence says it."""
    for pattern, advice in _ADVICE:
        if found := pattern.search(message):
            return advice(found)
    return ""


def line_of(text: str, message: str) -> int:
    """On which line of a statement, from 0, the word stands that a message is about."""
    words = [word for pair in _WORD.findall(message) for word in pair if word]
    lines = text.splitlines()
    return next((n for w in words for n, line in enumerate(lines) if _has(line, w)), 0)


def _has(line: str, word: str) -> bool:
    # An annotation is text for people: a word in it is not the one that does not fit.
    return not line.lstrip().startswith("@") and re.search(rf"\b{word}\b", line) is not None


def _one_of(what: str, wrong: str, right: Sequence[str]) -> str:
    likely: Iterable[str] = get_close_matches(wrong, right, n=1)
    meant = "".join(f"did you mean `{word}`? " for word in likely)
    return f"{meant}{what} {', '.join(right)}"


def _values(found: re.Match[str]) -> str:
    values = _VALUES.get(found.group(1))
    if values is None:
        return f"the values of `{found.group(1)}` are declared in the schema: use one of them"
    return _one_of(f"the values of `{found.group(1)}` are", found.group(2), values)


# In this order: the first that fits is the nearest to what was meant.
_ADVICE: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = (
    (_ATTRIBUTE, lambda found: _one_of("facts are", found.group(1), tuple(_FACTS))),
    (_OF_ENTITY, lambda found: f"facts are in the context: write `context.{found.group(1)}`"),
    (_VALUE, _values),
    (_TYPE, lambda found: _one_of("types are", found.group(1), (*_VALUES, "FieldClass"))),
    (_ACTION, lambda _: 'write `action == Action::"Admit"`, `"Show"` or `"Reveal"`'),
    (
        _KIND,
        lambda _: 'compare a fact with a value of its own type: `context.tier == Tier::"vip"`',
    ),
)
