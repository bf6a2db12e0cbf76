"""How records leave: the JSON of what the broker served.

Pydantic would walk every record a second time, so it is written by msgspec, and only a masked
record has a form here: a raw one is an error.
"""

from collections.abc import Mapping, Sequence

import msgspec

from guard.clock import to_rfc3339
from guard.masking import MaskedRecord
from guard.quotas import BudgetStatus
from guard.views import FieldNote, Served


def encoded(document: Mapping[str, object]) -> bytes:
    """A document with masked records in it, as JSON."""
    return msgspec.json.encode(document, enc_hook=_masked_only)


def notes(fields: Sequence[FieldNote]) -> list[dict[str, object]]:
    """Why each field looks as it does, and what to do about it."""
    return [
        {
            "path": n.path,
            "class": n.cls,
            "form": n.form.name.lower(),
            "why": n.why,
            "next": n.next,
            "synthetic": n.synthetic,
            "verify": n.verify,
            "contact": n.contact,
        }
        for n in fields
    ]


def quota(budgets: Sequence[BudgetStatus]) -> list[dict[str, object]]:
    """What is left of the caller's own budgets."""
    return [
        {
            "name": b.name,
            "measure": b.measure,
            "window": b.window,
            "limit": b.limit,
            "used": b.used,
            "left": b.left,
            "resets_at": to_rfc3339(b.resets_at),
        }
        for b in budgets
    ]


def view(served: Served) -> dict[str, object]:
    """A view, whole."""
    return {
        "record": served.record,
        "fields": notes(served.fields),
        "mode": served.mode,
        "would": served.would,
        "quota": quota(served.budgets),
        "receipt": served.receipt,
        "view_code": served.view_code,
    }


def _masked_only(value: object) -> object:
    """The one kind of record that has a wire form; a raw one is an error here."""
    if isinstance(value, MaskedRecord):
        return msgspec.Raw(value.to_json_bytes())
    raise TypeError("this has no wire form")
