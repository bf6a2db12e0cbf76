"""Rendering: templates with everything escaped, under a policy that allows nothing from elsewhere.

No inline script, no inline style, no frame, no foreign form target: a value that slipped through
escaping could still do nothing.
"""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from guard.clock import SECOND, Micros
from guard.entries import Receipt

HERE = Path(__file__).parent / "console"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
PREFIX = "/console"


def moment(at: Micros) -> str:
    """A time for people: to the second, in UTC."""
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")


def words(name: str) -> str:
    """An identifier of ours as words."""
    return name.replace("_", " ")


def place(receipt: Receipt) -> int | str:
    """What names an entry: its index, or its id where that place is given later."""
    return receipt.entry_id if receipt.index is None else receipt.index


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {"moment": moment, "place": place, "words": words}


def page(template: str, status: int = 200, /, **context: object) -> Response:
    """Render a whole page; `signed_in` is None on the pages before a session."""
    context.setdefault("signed_in", None)
    html = _templates.get_template(template).render(**context)
    return HTMLResponse(html, status, {"content-security-policy": CSP})


def is_console(request: Request) -> bool:
    """Whether a request is for a page of the console."""
    return request.url.path == PREFIX or request.url.path.startswith(PREFIX + "/")


def error_page(status: int, title: str, detail: str, request_id: str) -> Response:
    """What somebody sees instead of a problem document; without a session, the sign-in page."""
    if status == 401:  # noqa: PLR2004 - a status
        return page("sign_in.html", status, message=detail)
    return page("error.html", status, title=title, detail=detail, request_id=request_id)
