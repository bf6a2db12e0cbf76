"""What opens more at the desk: the code of a customer who is present, and breaking the glass.

Both are offered where the broker says that they would help. A code is not shown again and kept
nowhere here.
"""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import Response

from api.console.desk_pages import About, AboutForm, desk_page
from api.console.session import Secret, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX
from api.routers.dependencies import Guarded
from api.schemas.words import Prose
from guard.break_glass import GlassPut, ReasonCode
from policies.model import Purpose

routes = router("console")


class CodeForm(AboutForm):
    """The code that the customer said; its form is checked where the answer is in words."""

    code: Secret


class GlassForm(AboutForm):
    """Why somebody opens a customer without a case, and for how long."""

    reason_code: ReasonCode
    text: Prose
    minutes: int


@routes.post(PREFIX + "/desk/code", include_in_schema=False)
async def claim(
    request: Request,
    form: Annotated[CodeForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.PRESENCE_CLAIM)],
) -> Response:
    """Take the code; the record opens again from there."""
    verify(request, signed_in, form)
    grant = await services.presence.claim(signed_in.principal, form.customer, form.code, form.case)
    return desk_page("granted.html", signed_in, grant=grant, about=form.about)


@routes.post(PREFIX + "/desk/glass", include_in_schema=False)
async def break_glass(
    request: Request,
    form: Annotated[GlassForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.BREAK_GLASS_WRITE)],
) -> Response:
    """Break the glass; the record opens from there, for that purpose."""
    verify(request, signed_in, form)
    put = GlassPut(
        customer=form.customer,
        reason_code=form.reason_code,
        text=form.text,
        minutes=form.minutes,
        case=form.case,
    )
    grant = await services.break_glass.open(signed_in.principal, put)
    about = About(customer=form.customer, purpose=Purpose.BREAK_GLASS, case=form.case)
    return desk_page("granted.html", signed_in, grant=grant, about=about)
