import json
from typing import Any, cast

import pytest

from api import wire
from guard.rows import RawRecord
from tests.unit.api.fakes import budget, served


def test_a_view_is_written_with_its_record_its_notes_and_its_quota() -> None:
    document = json.loads(wire.encoded(wire.view(served())))
    assert document["record"] == {"email": "a*****@e*****.com", "nested": {"city": "[hidden]"}}
    assert document["fields"] == [
        {
            "path": "email",
            "class": "contact",
            "form": "mask",
            "why": "masked for support",
            "next": [],
            "synthetic": False,
            "verify": [],
            "contact": None,
        }
    ]
    assert document["quota"] == [json.loads(json.dumps(one)) for one in wire.quota([budget()])]


def test_only_a_masked_record_has_a_wire_form() -> None:
    with pytest.raises(TypeError):
        wire.encoded({"record": cast("Any", RawRecord({"email": "canary"}))})
