"""A served record as rows of a table: what each field shows, and why it looks as it does.

It reads the masked record's own bytes: there is no other form of it outside the guard.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from guard.views import FieldNote, Served
from policies.model import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One field: all values that its path has (several below a list), its form, and a sentence."""

    path: str
    values: tuple[str, ...]
    form: str
    why: str

    @property
    def is_covered(self) -> bool:
        """Whether less than the whole value shows."""
        return self.form != Form.PLAIN.name.lower()


def record_rows(served: Served) -> list[RecordRow]:
    """The rows, in the catalogue's order."""
    record = msgspec.json.decode(served.record.to_json_bytes())
    return [_row(record, note) for note in served.fields]


def _row(record: object, note: FieldNote) -> RecordRow:
    return RecordRow(
        path=note.path,
        values=tuple(_text(value) for value in _values(record, note.path.split("."))),
        form=note.form.name.lower(),
        why=note.why,
    )


def _values(value: object, steps: list[str]) -> Iterator[object]:
    if not steps:
        yield value
        return
    name, below = steps[0], steps[1:]
    if not isinstance(value, dict) or name.removesuffix("[]") not in value:
        return
    inner = value[name.removesuffix("[]")]
    if not name.endswith("[]"):
        yield from _values(inner, below)
    elif isinstance(inner, list):
        for item in inner:
            yield from _values(item, below)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "not set" if value is None else msgspec.json.encode(value).decode()
