import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from itertools import product
from re import _parser  # how a pattern is read, to look at its parts
from typing import Any

import pytest

from guard.masking import patterns, shapes


def compiled() -> Iterator[tuple[str, str]]:
    for room in (patterns, shapes):
        for name, found in sorted(vars(room).items()):
            if isinstance(found, re.Pattern):
                yield name, found.pattern
            elif isinstance(found, shapes.Shape):
                yield f"{name} ASCII", found.ascii.pattern
                yield f"{name} any", found.any.pattern


def repeats(parsed: Iterable[Any]) -> Iterator[tuple[str, int, Iterable[Any]]]:
    """Every repetition in a parsed pattern: its kind, its most, and what it repeats."""
    for op, given in parsed:
        parts = given if isinstance(given, list | tuple) else (given,)
        if "REPEAT" in str(op):
            yield str(op), int(str(parts[1]).replace("MAXREPEAT", str(2**32))), parts[2]
        for part in parts:
            inner = part if isinstance(part, list) else [part]
            for one in inner:
                if isinstance(one, _parser.SubPattern):
                    yield from repeats(one)


def test_every_pattern_is_looked_at() -> None:
    assert len(list(compiled())) > 25


@pytest.mark.parametrize(
    ("name", "pattern"), [pytest.param(*each, id=each[0]) for each in compiled()]
)
def test_no_pattern_can_try_a_run_of_characters_twice(name: str, pattern: str) -> None:
    for kind, most, inside in repeats(_parser.parse(pattern)):
        assert kind == "POSSESSIVE_REPEAT" or most <= 87, name
        # A repetition within a repetition is bounded on the inside.
        for _, inner_most, _ in repeats(inside):
            assert inner_most <= 87 or kind == "POSSESSIVE_REPEAT", name


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def test_an_ipv6_address_is_what_the_standard_library_takes_for_one() -> None:
    ends = ("", ":", "::", ":1.2.3.4", "::255.0.0.10", "::256.0.0.1", "::01.0.0.1")
    seen = 0
    for n in range(1, 10):
        for at in range(n):
            for middle, end in product(("", "beef", "12345"), ends):
                groups = ["2001"] * n
                groups[at] = middle
                text = ":".join(groups) + end
                if ":" in text and len(text) > 5:
                    assert (shapes.IPV6.any.fullmatch(text) is not None) == is_address(text), text
                    seen += is_address(text)
    assert seen > 100


def test_a_shape_is_the_same_over_ascii_as_over_any_text() -> None:
    text = "a1 12b 12.3.90 1990-02-03 x_12345 ab@c.d 1.2.3.4 3rd of May, Jan 5 ::abcd1 0170 1234567"
    for name, shape in vars(shapes).items():
        if isinstance(shape, shapes.Shape):
            assert shape.over(text) is shape.ascii
            assert shape.over(text + "\u00e9") is shape.any
            found = ([m.span() for m in p.finditer(text)] for p in (shape.ascii, shape.any))
            assert next(found) == next(found), name
