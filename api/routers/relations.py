"""Who belongs together: customers of one household or business, people and customers."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.relations import RelationBody, RelationOut, TieBody, TieOut
from guard.principals import Principal

routes = router("relations")


@routes.put(
    "/v1/relations",
    response_model=RelationOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Say that customers belong together, or no longer do",
)
async def put_relation(
    request: Request,
    body: RelationBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.RELATIONS_WRITE)],
) -> Response:
    """Store the relations within a household or business, in both directions."""

    async def act() -> Response:
        changed = await services.relations.put(principal, body.put())
        return described(RelationOut, RelationOut(changed=changed))

    return await replies.once(request, principal, act)


@routes.put(
    "/v1/ties",
    response_model=TieOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Say what binds somebody of the directory to a customer",
)
async def put_tie(
    request: Request,
    body: TieBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.TIES_WRITE)],
) -> Response:
    """Store a tie; nobody writes their own."""

    async def act() -> Response:
        changed = await services.ties.put(principal, body.principal, body.customer, body.tie)
        return described(TieOut, TieOut(changed=changed))

    return await replies.once(request, principal, act)
