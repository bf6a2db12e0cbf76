from dataclasses import replace

from guard.rows import living
from tests.support.makers import make_subject


def test_the_erased_are_named_in_nothing_new() -> None:
    there = replace(make_subject(), ref="c-1")
    known = {
        "c-1": there,
        "c-2": replace(there, ref="c-2", wrapped_key=None),
        "c-0": replace(there, ref="c-0"),
    }
    assert living(known, ["c-1", "c-2", "c-0"]) == ["c-0", "c-1"]
