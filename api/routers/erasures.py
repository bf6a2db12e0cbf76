"""Erasures: one person asks for a customer to be forgotten, a second one has it done."""

from typing import Annotated

from fastapi import Request

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Guarded, caller, documents
from api.schemas.erasures import ErasingOut, ErasureBody, ErasureOut, ErasuresOut
from api.schemas.words import Ident
from guard.principals import Principal

routes = router("erasures")
Writer = Annotated[Principal, caller(Scope.ERASURES_WRITE)]
Reader = Annotated[Principal, caller(Scope.ERASURES_READ)]


# No reply is kept for a repeat: with it would go a digest of the request, by which a reason could
# be guessed after it is erased. A repeat finds the proposal there (409).
@routes.post("/v1/erasures", responses=documents(403, 404, 409), summary="Propose an erasure")
async def propose(
    request: Request, body: ErasureBody, services: Guarded, principal: Writer
) -> ErasingOut:
    """Propose to forget a customer; nothing happens until somebody of another line approves it."""
    done = await services.erasures.propose(principal, body.customer, body.ground, body.reason)
    request.state.entry = done.receipt.index
    return ErasingOut.of(done)


@routes.post(
    "/v1/erasures/{erasure_id}/approvals",
    responses=documents(403, 404, 409),
    summary="Approve somebody else's erasure",
)
async def approve(
    request: Request, erasure_id: Ident, services: Guarded, principal: Writer
) -> ErasingOut:
    """Forget the customer: from this answer on it is nobody's. Under a legal hold it waits."""
    done = await services.erasures.approve(principal, erasure_id)
    request.state.entry = done.receipt.index
    return ErasingOut.of(done)


@routes.get("/v1/erasures", responses=documents(403), summary="The newest erasures")
async def listed(services: Guarded, principal: Reader) -> ErasuresOut:
    """The newest 500, newest first."""
    rows = await services.erasures.list(principal)
    return ErasuresOut(erasures=[ErasureOut.model_validate(row) for row in rows])


@routes.get(
    "/v1/erasures/{erasure_id}", responses=documents(403, 404), summary="Where an erasure stands"
)
async def shown(erasure_id: Ident, services: Guarded, principal: Reader) -> ErasureOut:
    """Proposed, held, recorded or done."""
    return ErasureOut.model_validate(await services.erasures.get(principal, erasure_id))
