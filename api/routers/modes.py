"""Modes: how much of each decision is carried out, and what the rest would have done."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.modes import (
    EnforcementOut,
    EnforcementReportOut,
    ModeBody,
    ModeOut,
    ModesOut,
)
from api.schemas.words import Ident, Instant
from guard.principals import Principal

routes = router("modes")


@routes.get("/v1/modes", responses=documents(403), summary="All mode rules and proposals")
async def listed(
    services: Guarded, principal: Annotated[Principal, caller(Scope.MODES_READ)]
) -> ModesOut:
    """Rules and proposals, oldest first."""
    rows = await services.modes.list(principal)
    return ModesOut(modes=[ModeOut.model_validate(row) for row in rows])


@routes.put(
    "/v1/modes",
    response_model=ModeOut,
    dependencies=REPEATABLE,
    responses=documents(403),
    summary="Propose a mode",
)
async def propose(
    request: Request,
    body: ModeBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.MODES_WRITE)],
) -> Response:
    """Propose a mode for a scope; it counts once somebody else approves it."""

    async def act() -> Response:
        row = await services.modes.propose(
            principal, vendor=body.vendor, team=body.team, purpose=body.purpose, mode=body.mode
        )
        return described(ModeOut, row)

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/modes/{mode_id}/approvals",
    response_model=ModeOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Approve somebody else's mode",
)
async def approve(
    request: Request,
    mode_id: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.MODES_WRITE)],
) -> Response:
    """Approve a proposal; it is in force when this answers."""

    async def act() -> Response:
        return described(ModeOut, await services.modes.approve(principal, mode_id))

    return await replies.once(request, principal, act)


@routes.get(
    "/v1/reports/enforcement",
    responses=documents(403),
    summary="What enforcing did, or would have done",
)
async def report(
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.MODES_READ)],
    since: Annotated[Instant, Query()],
    until: Annotated[Instant, Query()],
) -> EnforcementReportOut:
    """Views by team, mode and outcome; never by agent."""
    rows = await services.modes.report(principal, since, until)
    return EnforcementReportOut(rows=[EnforcementOut.model_validate(row) for row in rows])
