"""Quality samples: the broker draws, nobody picks."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.samples import SampleBody, SampleOut
from guard.principals import Principal

routes = router("samples")


@routes.post(
    "/v1/samples",
    response_model=SampleOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Draw closed cases for a quality review",
)
async def draw(
    request: Request,
    body: SampleBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.SAMPLES_WRITE)],
) -> Response:
    """Draw cases at random and assign each to a reviewer who had no part in it."""

    async def act() -> Response:
        sample = await services.samples.draw(principal, body.put())
        return described(SampleOut, SampleOut.of(sample))

    return await replies.once(request, principal, act)
