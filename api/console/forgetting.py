"""Forgetting: who is to be forgotten, who approves it, and what a legal hold keeps from it.

One page for all of it, so that whoever approves sees the holds beside it. A reason is typed into a
form that is posted, and is not shown again: it lies under the customer's own key.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Form
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.console.session import SignedForm, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX, page
from api.routers.dependencies import Guarded
from api.schemas.words import Ident, Prose, Word
from guard.clock import SECOND, Micros
from guard.errors import InvalidRequestError
from guard.forgetting import ErasureGround, HoldGround, HoldPut
from guard.rows import HoldScope

routes = router("console")
HOME = PREFIX + "/forgetting"
# As a browser's field for a day sends it; '' where it was left empty.
Day = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]

Forgetter = Annotated[SignedIn, visitor(Scope.ERASURES_WRITE)]
Holder = Annotated[SignedIn, visitor(Scope.HOLDS_WRITE)]


class EraseForm(SignedForm):
    """Whom to forget, on which ground, and why."""

    customer: Ident
    ground: ErasureGround
    reason: Prose


class ApproveForm(SignedForm):
    """The second person's word; it cannot be taken back."""

    confirm: Literal["", "yes"] = ""


class HoldForm(SignedForm):
    """What to keep, on which ground, and under which number the reasons are."""

    scope: HoldScope
    value: Word = ""
    ground: HoldGround
    matter: Ident
    since: Day = ""
    until: Day = ""


@routes.get(HOME, include_in_schema=False)
async def forgetting(
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.ERASURES_READ, Scope.HOLDS_READ)],
) -> Response:
    """The newest erasures and all holds, and the forms of whoever may."""
    who = signed_in.principal
    holds = await services.holds.list(who)
    return page(
        "forgetting.html",
        signed_in=signed_in,
        erasures=await services.erasures.list(who),
        holds=list(reversed(holds)),
        grounds=list(ErasureGround),
        hold_grounds=list(HoldGround),
        scopes=list(HoldScope),
        may_erase=Scope.ERASURES_WRITE.value in who.scopes,
        may_hold=Scope.HOLDS_WRITE.value in who.scopes,
    )


@routes.post(HOME + "/erasures", include_in_schema=False)
async def propose(
    request: Request,
    form: Annotated[EraseForm, Form()],
    services: Guarded,
    signed_in: Forgetter,
) -> Response:
    """Propose an erasure; nothing happens until somebody of another line approves it."""
    verify(request, signed_in, form)
    await services.erasures.propose(signed_in.principal, form.customer, form.ground, form.reason)
    return RedirectResponse(HOME, 303)


@routes.post(HOME + "/erasures/{erasure_id}/approve", include_in_schema=False)
async def approve(
    request: Request,
    erasure_id: Ident,
    form: Annotated[ApproveForm, Form()],
    services: Guarded,
    signed_in: Forgetter,
) -> Response:
    """Approve somebody else's; from here on the customer is nobody's, or held."""
    verify(request, signed_in, form)
    if form.confirm != "yes":
        raise InvalidRequestError("tick the box that confirms the erasure: it cannot be undone")
    await services.erasures.approve(signed_in.principal, erasure_id)
    return RedirectResponse(HOME, 303)


@routes.post(HOME + "/holds", include_in_schema=False)
async def hold(
    request: Request,
    form: Annotated[HoldForm, Form()],
    services: Guarded,
    signed_in: Holder,
) -> Response:
    """Set a hold; it is in force when the page is back."""
    verify(request, signed_in, form)
    put = HoldPut(
        scope=form.scope,
        ground=form.ground,
        matter=form.matter,
        value=form.value,
        since=_day(form.since),
        until=_day(form.until),
    )
    await services.holds.set(signed_in.principal, put)
    return RedirectResponse(HOME, 303)


@routes.post(HOME + "/holds/{hold_id}/lift", include_in_schema=False)
async def lift(
    request: Request,
    hold_id: Ident,
    form: Annotated[SignedForm, Form()],
    services: Guarded,
    signed_in: Holder,
) -> Response:
    """Ask for a hold to be lifted or, as the second person, lift it."""
    verify(request, signed_in, form)
    await services.holds.lift(signed_in.principal, hold_id)
    return RedirectResponse(HOME, 303)


def _day(text: str) -> Micros | None:
    """The beginning of a day, in UTC."""
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND
    except ValueError:
        raise InvalidRequestError("there is no such day: write it as 2026-11-30") from None
