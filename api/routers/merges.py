"""Merging two customers by reference: nobody sees either record for it."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.problems import RefusalError
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.merges import MergeBody, MergeOut
from guard.merges import MergeRequest
from guard.principals import Principal
from guard.views import Refused

routes = router("merges")


@routes.post(
    "/v1/merges",
    response_model=MergeOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409, 429, 504),
    summary="Have two customers' records merged",
)
async def merge(
    request: Request,
    body: MergeBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.MERGES_WRITE)],
) -> Response:
    """Tell the source system that two references are one person, if your cases explain both.

    A refusal is a problem document and carries the receipt of its own entry.
    """

    async def act() -> Response:
        asked = MergeRequest(keep=body.keep, merge=body.merge, case=body.case, reason=body.reason)
        answer = await services.merges.merge(principal, asked)
        if isinstance(answer, Refused):
            raise RefusalError(answer)
        return described(MergeOut, answer)

    return await replies.once(request, principal, act)
