"""Checking what a caller says: yes or no."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api import wire
from api.identity.scopes import Scope
from api.middleware import router
from api.problems import budget_headers
from api.routers.dependencies import Guarded, caller, documents
from api.routers.outcomes import accepted, noted
from api.schemas.verifications import VerifyBody, VerifyOut
from guard.principals import Principal
from guard.views import VerifyRequest
from policies.model import Act

routes = router("verifications")


@routes.post(
    "/v1/verifications",
    response_model=VerifyOut,
    responses=documents(403, 404, 429),
    summary="Check a claim about one field",
)
async def verify(
    request: Request,
    body: VerifyBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.VERIFICATIONS_WRITE)],
) -> Response:
    """Answer whether the claim is true; how often it may be tried is bounded."""
    asked = VerifyRequest(
        customer=body.customer,
        field=body.field,
        part=body.part,
        claim=body.claim,
        purpose=body.purpose,
        case=body.case,
        device=body.device,
    )
    answer = accepted(request, Act.VERIFY, await services.broker.verify(principal, asked))
    noted(request, answer.receipt)
    content = {
        "matches": answer.matches,
        "would": answer.would,
        "quota": wire.quota(answer.budgets),
        "receipt": answer.receipt,
    }
    headers = budget_headers(answer.budgets, services.clock.now())
    return Response(wire.encoded(content), headers=headers, media_type="application/json")
