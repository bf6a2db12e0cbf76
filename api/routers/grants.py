"""Grants without a case: break-glass, and a customer who is present.

The two calls that carry a one-time code keep no reply and no digest of the request for an
`Idempotency-Key`: a code would be found in either.
"""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.grants import (
    CodeBody,
    CodeOut,
    GlassBody,
    GlassOut,
    GlassPageOut,
    GlassReviewBody,
    GrantOut,
    PresenceBody,
)
from api.schemas.words import Ident
from guard.break_glass import GlassState, ReviewOutcome
from guard.principals import Principal

routes = router("grants")


@routes.post(
    "/v1/break-glass",
    response_model=GrantOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Open one customer without a case, and answer for it",
)
async def break_glass(
    request: Request,
    body: GlassBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.BREAK_GLASS_WRITE)],
) -> Response:
    """Open a customer for some minutes; an alert is raised at once, a review follows."""

    async def act() -> Response:
        return described(GrantOut, await services.break_glass.open(principal, body.put()))

    return await replies.once(request, principal, act)


@routes.get(
    "/v1/break-glass", responses=documents(403), summary="Break-glass grants, open or unreviewed"
)
async def listed(
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.BREAK_GLASS_READ)],
    state: Annotated[GlassState, Query()] = GlassState.UNREVIEWED,
) -> GlassPageOut:
    """Open ones newest first; unreviewed ones oldest first, with those that are overdue marked."""
    grants = await services.break_glass.page(principal, state)
    return GlassPageOut(grants=[GlassOut.of(glass) for glass in grants])


@routes.get(
    "/v1/break-glass/{grant_id}",
    responses=documents(403, 404),
    summary="A break-glass grant and what was typed",
)
async def get(
    grant_id: Ident,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.BREAK_GLASS_READ)],
) -> GlassOut:
    """What a reviewer must know."""
    return GlassOut.of(await services.break_glass.get(principal, grant_id))


@routes.delete(
    "/v1/break-glass/{grant_id}",
    response_model=GrantOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="End one's own break-glass early",
)
async def end(
    request: Request,
    grant_id: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.BREAK_GLASS_WRITE)],
) -> Response:
    """End it now; the review still follows."""

    async def act() -> Response:
        return described(GrantOut, await services.break_glass.end(principal, grant_id))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/break-glass/{grant_id}/review",
    response_model=GlassOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Review a break-glass that has ended",
)
async def review(
    request: Request,
    grant_id: Ident,
    body: GlassReviewBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.BREAK_GLASS_REVIEW)],
) -> Response:
    """Say whether it was justified; somebody outside the agent's line does."""

    async def act() -> Response:
        outcome = ReviewOutcome(body.outcome)
        glass = await services.break_glass.review(principal, grant_id, outcome, body.note)
        return described(GlassOut, GlassOut.of(glass))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/presence/codes",
    responses=documents(403, 404),
    summary="Get a one-time code for the customer's own screen",
)
async def issue_code(
    body: CodeBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.PRESENCE_WRITE)],
) -> CodeOut:
    """For the customer's own app or menu only; an earlier code of the customer is void."""
    return CodeOut.model_validate(await services.presence.issue(principal, body.customer))


@routes.post(
    "/v1/presence",
    responses=documents(403),
    summary="Take the code that the customer said",
)
async def claim(
    body: PresenceBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.PRESENCE_CLAIM)],
) -> GrantOut:
    """Open what needs the customer's presence for some minutes."""
    row = await services.presence.claim(principal, body.customer, body.code, body.case)
    return GrantOut.model_validate(row)
