"""Hold-backs: what histories leave out while an investigation runs."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.history import HoldBackBody, HoldBackOut, HoldBacksOut
from api.schemas.words import Ident
from guard.history import HoldBackPut
from guard.principals import Principal

routes = router("history")


@routes.get("/v1/hold-backs", responses=documents(403), summary="What histories leave out")
async def listed(
    services: Guarded, principal: Annotated[Principal, caller(Scope.HOLD_BACKS_READ)]
) -> HoldBacksOut:
    """Hold-backs and proposals that are not over, oldest first; none about the caller."""
    rows = await services.hold_backs.page(principal)
    return HoldBacksOut(hold_backs=[HoldBackOut.model_validate(row) for row in rows])


@routes.post(
    "/v1/hold-backs",
    response_model=HoldBackOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Propose to hold entries back",
)
async def propose(
    request: Request,
    body: HoldBackBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.HOLD_BACKS_WRITE)],
) -> Response:
    """Propose; nothing is held back before somebody else approves."""
    put = HoldBackPut(
        agent=body.agent,
        customer=body.customer,
        since=body.since,
        until=body.until,
        reason=body.reason,
        ends_at=body.ends_at,
    )

    async def act() -> Response:
        return described(HoldBackOut, await services.hold_backs.propose(principal, put))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/hold-backs/{hold_back}/approvals",
    response_model=HoldBackOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Approve somebody else's hold-back",
)
async def approve(
    request: Request,
    hold_back: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.HOLD_BACKS_WRITE)],
) -> Response:
    """Approve; it holds when this answers, until its end."""

    async def act() -> Response:
        return described(HoldBackOut, await services.hold_backs.approve(principal, hold_back))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/hold-backs/{hold_back}/end",
    response_model=HoldBackOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="End a hold-back early",
)
async def end(
    request: Request,
    hold_back: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.HOLD_BACKS_WRITE)],
) -> Response:
    """End it: what it held back appears in histories from now on."""

    async def act() -> Response:
        return described(HoldBackOut, await services.hold_backs.end(principal, hold_back))

    return await replies.once(request, principal, act)
