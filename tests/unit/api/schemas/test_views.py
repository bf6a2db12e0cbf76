import json

import pytest
from fastapi.exceptions import RequestValidationError

from api import wire
from api.schemas.parse import parse
from api.schemas.views import BudgetOut, FieldNoteOut, ReceiptOut, ViewBody
from guard.clock import to_rfc3339
from tests.unit.api.fakes import budget, receipt, served

ASK = {"customer": "ref-1", "purpose": "support_case"}


def test_what_is_not_said_is_absent() -> None:
    body = parse(ViewBody, json.dumps(ASK).encode())
    assert (body.case, body.fields, body.reason, body.device) == (None, None, None, None)


@pytest.mark.parametrize("missing", ["customer", "purpose"])
def test_a_view_says_of_whom_and_for_what(missing: str) -> None:
    body = {k: v for k, v in ASK.items() if k != missing}
    with pytest.raises(RequestValidationError):
        parse(ViewBody, json.dumps(body).encode())


def test_a_budget_says_what_is_left_and_when_it_comes_back() -> None:
    status = budget(left=12)
    assert BudgetOut.of(status).model_dump(mode="json") == {
        "name": "distinct-hour",
        "measure": "customers",
        "window": "hour",
        "limit": 60,
        "used": 48,
        "left": 12,
        "resets_at": to_rfc3339(status.resets_at),
    }


def test_a_field_note_goes_out_under_the_word_class() -> None:
    shown = FieldNoteOut.model_validate(wire.notes(served().fields)[0])
    assert shown.model_dump(by_alias=True)["class"] == "contact"


def test_a_receipt_goes_out_whole() -> None:
    kept = receipt(41)
    assert ReceiptOut.model_validate(kept).model_dump() == {
        "entry_id": kept.entry_id,
        "index": 41,
        "writer": kept.writer,
        "writer_seq": kept.writer_seq,
        "leaf_hash": kept.leaf_hash,
        "signature": kept.signature,
    }
