"""Signing in and out, the way in, and the console's two static files."""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.console.session import (
    Secret,
    SignedForm,
    cookie_name,
    drop_cookie,
    same_origin,
    set_cookie,
    verify,
    visitor,
)
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import HERE, PREFIX, page
from api.routers.dependencies import Guarded
from api.schemas.words import Body
from guard.errors import GuardError

routes = router("console")
# Where somebody's work is, by what they may do; the first that fits.
STARTS = ((Scope.ALERTS_READ, "alerts"), (Scope.VIEWS_WRITE, "desk"))
ASSETS = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class TicketForm(Body):
    """A pasted or linked ticket."""

    ticket: Secret


@routes.get(PREFIX, include_in_schema=False)
async def home(signed_in: Annotated[SignedIn, visitor(Scope.NOTICES_READ)]) -> Response:
    """Go where somebody's work is."""
    return RedirectResponse(f"{PREFIX}/{_start(signed_in)}", 303)


@routes.get(PREFIX + "/sign-in", include_in_schema=False)
async def sign_in_page() -> Response:
    """Ask for a ticket; the script takes it from the link's fragment, which no server sees."""
    return page("sign_in.html", message="")


@routes.post(PREFIX + "/sign-in", include_in_schema=False)
async def sign_in(
    request: Request, form: Annotated[TicketForm, Form()], services: Guarded
) -> Response:
    """Swap the ticket for a session."""
    same_origin(request)
    with services.metrics.sign_ins.labels("refused").count_exceptions(GuardError):
        cookie = await services.credentials.sessions.sign_in(form.ticket)
    services.metrics.sign_ins.labels("accepted").inc()
    response = RedirectResponse(PREFIX, 303)
    set_cookie(request, response, cookie)
    return response


@routes.post(PREFIX + "/sign-out", include_in_schema=False)
async def sign_out(
    request: Request,
    form: Annotated[SignedForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.NOTICES_READ)],
) -> Response:
    """End the session."""
    verify(request, signed_in, form)
    cookie = request.cookies[cookie_name(request)]
    await services.credentials.sessions.sign_out(cookie, signed_in.principal)
    response = RedirectResponse(PREFIX + "/sign-in", 303)
    drop_cookie(request, response)
    return response


def _asset(name: str, media_type: str) -> None:
    content = (HERE / "static" / name).read_bytes()

    async def serve() -> Response:
        return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})

    routes.add_api_route(
        f"{PREFIX}/static/{name}", serve, include_in_schema=False, response_class=Response
    )


for _name, _media_type in ASSETS.items():
    _asset(_name, _media_type)


def _start(signed_in: SignedIn) -> str:
    if signed_in.is_suspended:
        return "me"
    scopes = signed_in.principal.scopes
    return next((name for scope, name in STARTS if scope.value in scopes), "me")
