"""Reading the values of one field of the catalogue out of a record, lists included.

For what looks at a field without showing it: verification and contact. What is shown is walked by
the plan (`guard.masking.nodes`).
"""

from collections.abc import Iterator, Mapping

from guard.masking.nodes import MAX_ITEMS
from guard.masking.scalars import UnmaskableError, scalar, text_of
from guard.rows import RawRecord

# No identifier, name or address is longer; a longer value is no value here.
MAX_VALUE = 512


def texts_at(raw: RawRecord, path: str) -> tuple[str, ...]:
    """The texts that stand at `path`, in the record's order; what is no text or number is left out.

    Never raises for anything that a source may give.
    """
    return tuple(text for value in _at(raw.values, path.split(".")) for text in _text(value))


def _at(value: object, steps: list[str]) -> Iterator[object]:
    if not steps:
        yield value
        return
    name, is_list = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    inner = value.get(name) if isinstance(value, Mapping) else None
    if not is_list:
        yield from _at(inner, steps[1:])
    elif isinstance(inner, list | tuple):
        for item in inner[:MAX_ITEMS]:
            yield from _at(item, steps[1:])


def _text(value: object) -> Iterator[str]:
    try:
        text = text_of(scalar(value)).strip()
    except (UnmaskableError, ValueError):
        return
    if text and len(text) <= MAX_VALUE:
        yield text
