"""The transforms that a catalogue may name, and what each takes.

`guard.masking` has the transforms themselves and fills in what is not required; a test compares the
two lists. Kept here, so that a bundle is checked without the room that carries it out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Param = str | int | bool
Allowed = range | tuple[str, ...] | type[bool] | re.Pattern[str]

# One past the largest edge of a range of numbers, in minor units.
_EDGES = 10**12 + 1
_DAYS = range(-3_650, 3_651)
_MIN_HIDDEN = range(4, 65)
_PRINTABLE = r"[^\x00-\x1f\x7f]"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a transform takes; of each tuple in `required` at least one parameter must be given."""

    params: Mapping[str, Allowed]
    required: tuple[tuple[str, ...], ...] = ()


TRANSFORMS: Mapping[str, Signature] = MappingProxyType(
    {
        "bucket": Signature(
            {
                "size": range(1, _EDGES),
                "edges": re.compile(r"-?\d{1,13}(,-?\d{1,13})*"),
                "lo": range(1 - _EDGES, _EDGES),
                "hi": range(1 - _EDGES, _EDGES),
            },
            (("size", "edges"),),
        ),
        "date_part": Signature(
            {"part": ("year", "month", "age_band"), "as_of": range(10_000)}, (("part",),)
        ),
        "date_shift": Signature({"lo": _DAYS, "hi": _DAYS}, (("lo",), ("hi",))),
        "email": Signature(
            {"local": range(3), "domain": ("mask", "keep")}, (("local",), ("domain",))
        ),
        "fake": Signature({"kind": ("name", "email", "phone", "street")}, (("kind",),)),
        "free_text": Signature({"redactor": ("patterns", "presidio")}),
        "geohash": Signature({"n": range(1, 6)}, (("n",),)),
        "hash": Signature({"bytes": range(16, 33), "joins": ("scope", "tenant")}, (("joins",),)),
        "hide": Signature({}),
        "ip_prefix": Signature({"v4": range(8, 25), "v6": range(16, 49)}),
        "keep_both": Signature(
            {"first": range(7), "last": range(7), "min_hidden": _MIN_HIDDEN},
            (("first",), ("last",), ("min_hidden",)),
        ),
        "keep_first": Signature(
            {"n": range(9), "min_hidden": _MIN_HIDDEN}, (("n",), ("min_hidden",))
        ),
        "keep_last": Signature(
            {"n": range(9), "min_hidden": _MIN_HIDDEN}, (("n",), ("min_hidden",))
        ),
        "name": Signature({"style": ("initials", "first_initial")}, (("style",),)),
        "noise": Signature({"percent": range(1, 101)}, (("percent",),)),
        "null": Signature({}),
        "pan": Signature({"first": range(7), "last": range(5)}),
        "phone": Signature(
            {"last": range(5), "keep_country": bool}, (("last",), ("keep_country",))
        ),
        "pseudonym": Signature(
            {
                "kind": (
                    *("ACCOUNT", "CARD", "ID", "PHONE"),
                    *("ADDRESS", "EMAIL", "NAME", "PERSON", "VALUE"),
                ),
                "length": range(4, 17),
            },
            (("kind",),),
        ),
        "redact": Signature({"text": re.compile(_PRINTABLE + r"{1,32}")}),
        "regex": Signature(
            {
                "pattern": re.compile(_PRINTABLE + r"{1,200}"),
                "repl": re.compile(_PRINTABLE + r"{1,60}"),
            },
            (("pattern",), ("repl",)),
        ),
        "round": Signature(
            {"step": range(2, _EDGES), "digits": range(1, 5)}, (("step", "digits"),)
        ),
        "zip3": Signature({"n": range(1, 4)}),
    }
)
