import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.problems import places
from api.schemas.parse import parse
from api.schemas.views import ViewBody

ASK = {"customer": "ref-1", "purpose": "support_case"}


def test_a_body_is_read_from_its_bytes() -> None:
    assert parse(ViewBody, json.dumps(ASK).encode()).customer == "ref-1"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", {"pointer": "#", "rule": "json_invalid"}),
        (b"{", {"pointer": "#", "rule": "json_invalid"}),
        (b"[]", {"pointer": "#", "rule": "model_type"}),
        (b'{"customer": "r", "purpose": 7}', {"pointer": "#/purpose", "rule": "string_type"}),
        (
            b'{"customer": "r", "purpose": "p", "zqx": 1}',
            {"pointer": "#", "rule": "extra_forbidden"},
        ),
        (
            b'{"customer": "r\\u0000", "purpose": "p"}',
            {"pointer": "#/customer", "rule": "string_pattern_mismatch"},
        ),
    ],
)
def test_an_error_knows_its_place_and_holds_no_input(content: bytes, place: dict[str, str]) -> None:
    with pytest.raises(RequestValidationError) as caught:
        parse(ViewBody, content)
    assert places(caught.value.errors()) == [place]
    assert "zqx" not in json.dumps(places(caught.value.errors()))
    assert caught.value.__cause__ is None
    assert all("input" not in error for error in caught.value.errors())


@pytest.mark.parametrize("length", [64, 65])
def test_a_view_asks_for_a_bounded_number_of_fields(length: int) -> None:
    content = json.dumps(ASK | {"fields": ["f"] * length}).encode()
    if length <= 64:
        assert len(parse(ViewBody, content).fields or []) == length
    else:
        with pytest.raises(RequestValidationError):
            parse(ViewBody, content)
