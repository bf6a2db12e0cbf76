"""Finding one customer by an exact identifier."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api import wire
from api.identity.scopes import Scope
from api.middleware import router
from api.problems import budget_headers
from api.routers.dependencies import Guarded, caller, documents
from api.routers.outcomes import accepted, noted
from api.schemas.searches import SearchBody, SearchOut
from guard.principals import Principal
from guard.views import SearchRequest
from policies.model import Act

routes = router("searches")


@routes.post(
    "/v1/searches",
    response_model=SearchOut,
    responses=documents(403, 429),
    summary="Find a customer by an exact identifier",
)
async def search(
    request: Request,
    body: SearchBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.SEARCHES_WRITE)],
) -> Response:
    """Answer with one opaque reference or none; finding nobody counts like finding somebody."""
    asked = SearchRequest(
        kind=body.kind,
        value=body.value,
        purpose=body.purpose,
        reason=body.reason,
        device=body.device,
    )
    answer = accepted(request, Act.SEARCH, await services.broker.search(principal, asked))
    noted(request, answer.receipt)
    content = {
        "customer": answer.customer,
        "narrow": answer.narrow,
        "would": answer.would,
        "quota": wire.quota(answer.budgets),
        "receipt": answer.receipt,
    }
    headers = budget_headers(answer.budgets, services.clock.now())
    return Response(wire.encoded(content), headers=headers, media_type="application/json")
