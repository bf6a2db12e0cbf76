from dataclasses import replace

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from api.rendering import CSP, error_page, is_console, moment, page, place, words
from tests.support.makers import NOON
from tests.unit.api.fakes import receipt


def a_request(path: str) -> Request:
    return Request(
        {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    )


def test_a_time_is_shown_to_the_second_in_utc() -> None:
    assert moment(NOON + 999_999) == "2026-11-18 12:00:00"


def test_an_identifier_is_shown_as_words() -> None:
    assert words("explained_only_for_now") == "explained only for now"


def test_an_entry_is_named_by_its_place_or_until_then_by_its_id() -> None:
    placed = receipt(0)
    assert place(placed) == 0
    assert place(replace(placed, index=None)) == placed.entry_id


def test_what_goes_into_a_page_is_escaped() -> None:
    html = bytes(page("sign_in.html", message="<script>alert(1)</script>").body).decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


def test_a_page_forbids_everything_from_elsewhere() -> None:
    assert page("sign_in.html", message="").headers["content-security-policy"] == CSP


def test_a_page_has_the_status_it_is_given() -> None:
    assert page("sign_in.html", 418, message="").status_code == 418


def test_a_value_that_a_template_lacks_is_an_error_and_no_gap() -> None:
    with pytest.raises(UndefinedError):
        page("error.html", title="only this")


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/alerts/1"])
def test_pages_of_the_console_are_known_by_their_path(path: str) -> None:
    assert is_console(a_request(path))


@pytest.mark.parametrize("path", ["/consoles", "/v1/console", "/", "/v1/alerts"])
def test_nothing_else_is_a_page_of_the_console(path: str) -> None:
    assert not is_console(a_request(path))


def test_without_a_session_the_sign_in_page_is_shown_with_the_reason() -> None:
    answer = error_page(401, "No credential", "your session has ended", "req-1")
    html = bytes(answer.body).decode()
    assert answer.status_code == 401
    assert 'id="sign-in"' in html
    assert "your session has ended" in html


def test_any_other_error_names_its_request() -> None:
    answer = error_page(403, "You may not do this", "your role does not open it", "req-1")
    html = bytes(answer.body).decode()
    assert answer.status_code == 403
    for shown in ("You may not do this", "your role does not open it", "req-1"):
        assert shown in html
