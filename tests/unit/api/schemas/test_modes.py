import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.modes import ModeBody, ModeOut
from api.schemas.parse import parse
from policies.model import Mode
from tests.support.makers import make_mode


def test_an_absent_scope_means_any() -> None:
    body = parse(ModeBody, b'{"mode": "observe"}')
    assert (body.vendor, body.team, body.purpose, body.mode) == ("", "", "", Mode.OBSERVE)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(RequestValidationError):
        parse(ModeBody, json.dumps({"mode": "off"}).encode())


def test_a_proposal_shows_that_nobody_has_approved_it() -> None:
    shown = ModeOut.model_validate(make_mode(approved_by=None)).model_dump(mode="json")
    assert (shown["mode"], shown["proposed_by"], shown["approved_by"]) == (
        "observe",
        "admin-1",
        None,
    )
