"""A served record as rows of a table: what each field shows, why, and what can be done about it.

It reads the masked record's own bytes: there is no other form of it outside the guard.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from guard.views import FieldNote, NextStep, Served
from policies.model import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One field: all values that its path has (several below a list), its form, and a sentence."""

    path: str
    values: tuple[str, ...]
    form: str
    why: str
    next: tuple[NextStep, ...] = ()

    @property
    def is_covered(self) -> bool:
        """Whether less than the whole value shows."""
        return self.form != Form.PLAIN.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What can be done about the covered fields of a record, for its forms.

    `checks` are pairs of a path and a part, `channels` ways to call or write.
    """

    reveals: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    channels: tuple[str, ...]
    steps: tuple[NextStep, ...]


def offers_of(served: Served) -> Offers:
    """What the notes of a record offer together, in their order, each thing once."""
    notes = served.fields
    channels = (n.contact for n in notes if n.contact and NextStep.CONTACT in n.next)
    return Offers(
        reveals=tuple(n.path for n in notes if NextStep.REVEAL in n.next),
        checks=tuple((n.path, p) for n in notes if NextStep.VERIFY in n.next for p in n.verify),
        channels=tuple(dict.fromkeys(channels)),
        steps=tuple(dict.fromkeys(step for n in notes for step in n.next)),
    )


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
        next=note.next,
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
