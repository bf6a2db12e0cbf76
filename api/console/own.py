"""Everybody's own page: one's budgets, what was done about one's access, and how to object."""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.console.session import SignedForm, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX, page
from api.routers.dependencies import Guarded
from api.schemas.responses import NoticeOut
from api.schemas.words import Ident, Prose

routes = router("console")


class ContestForm(SignedForm):
    """What somebody says to a notice."""

    text: Prose


@routes.get(PREFIX + "/me", include_in_schema=False)
async def me(
    services: Guarded, signed_in: Annotated[SignedIn, visitor(Scope.NOTICES_READ)]
) -> Response:
    """Show one's own budgets and notices."""
    who = signed_in.principal
    notices = await services.suspensions.notices(who)
    has_history = Scope.OWN_HISTORY_READ in who.scopes
    return page(
        "me.html",
        signed_in=signed_in,
        budgets=await services.broker.quota(who),
        notices=[NoticeOut.of(row) for row in notices],
        history=await services.own_histories.mine(who) if has_history else None,
        now=services.clock.now(),
    )


@routes.post(PREFIX + "/notices/{response_id}/contest", include_in_schema=False)
async def contest(
    request: Request,
    response_id: Ident,
    form: Annotated[ContestForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.NOTICES_READ, Scope.NOTICES_CONTEST)],
) -> Response:
    """Object; it works while suspended too."""
    verify(request, signed_in, form)
    await services.suspensions.contest(signed_in.principal, response_id, form.text)
    return RedirectResponse(PREFIX + "/me", 303)
