"""Suspensions by reviewers, and notices to those concerned."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.ports import Services
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.alerts import names_of
from api.schemas.responses import (
    ContestBody,
    NoticeOut,
    NoticesOut,
    ReasonBody,
    ResponseOut,
    ResponsesOut,
    SuspendBody,
)
from api.schemas.words import Ident
from guard.errors import InvalidRequestError, NotFoundError
from guard.principals import Principal

routes = router("responses")


@routes.get("/v1/suspensions", responses=documents(403), summary="Responses in force")
async def active(
    services: Guarded, principal: Annotated[Principal, caller(Scope.ALERTS_READ)]
) -> ResponsesOut:
    """Suspensions and milder responses that are in force, newest first."""
    rows = await services.suspensions.active(principal, None)
    return ResponsesOut(responses=[ResponseOut.model_validate(row) for row in rows])


@routes.post(
    "/v1/suspensions",
    response_model=ResponseOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Suspend somebody at once",
)
async def suspend(
    request: Request,
    body: SuspendBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.SUSPENSIONS_WRITE)],
) -> Response:
    """Suspend; when this answers, nothing of theirs is admitted any more."""

    async def act() -> Response:
        row = await services.suspensions.suspend(
            principal,
            agent_id=await _whom(services, principal, body),
            reason=body.reason,
            ends_at=body.ends_at,
            alert_id=body.alert,
        )
        return described(ResponseOut, row)

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/suspensions/{response_id}/lift",
    response_model=ResponseOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="End a response early",
)
async def lift(
    request: Request,
    response_id: Ident,
    body: ReasonBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.SUSPENSIONS_WRITE)],
) -> Response:
    """Lift; a suspension that a person set needs somebody else."""

    async def act() -> Response:
        row = await services.suspensions.lift(principal, response_id, body.reason)
        return described(ResponseOut, row)

    return await replies.once(request, principal, act)


@routes.get("/v1/notices", responses=documents(403), summary="What concerns your own access")
async def notices(
    services: Guarded, principal: Annotated[Principal, caller(Scope.NOTICES_READ)]
) -> NoticesOut:
    """One's own notices, past ones too; a suspended agent can still read them."""
    rows = await services.suspensions.notices(principal)
    return NoticesOut(notices=[NoticeOut.of(row) for row in rows])


@routes.post(
    "/v1/notices/{response_id}/contest",
    response_model=NoticeOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Object to a notice",
)
async def contest(
    request: Request,
    response_id: Ident,
    body: ContestBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.NOTICES_CONTEST)],
) -> Response:
    """Say what explains it; reviewers see it beside the alert."""

    async def act() -> Response:
        row = await services.suspensions.contest(principal, response_id, body.text)
        return described(NoticeOut, row)

    return await replies.once(request, principal, act)


async def _whom(services: Services, principal: Principal, body: SuspendBody) -> str:
    """The id that the request means: as given, or behind an alert's pseudonym."""
    if body.agent is not None and body.pseudonym is None:
        return body.agent
    if body.agent is not None or body.alert is None or body.pseudonym is None:
        raise InvalidRequestError("name `agent`, or `alert` and `pseudonym`")
    row = await services.alerts.get(principal, body.alert)
    for agent, name in names_of(row).items():
        if name == body.pseudonym:
            return agent
    raise NotFoundError("the alert names nobody like that")
