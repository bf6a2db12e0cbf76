"""Viewing a record, and what is left of one's own budgets."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api import wire
from api.identity.scopes import Scope
from api.middleware import router, text_of
from api.problems import RefusalError, budget_headers
from api.routers.dependencies import REPEATABLE, Guarded, authenticated, caller, documents
from api.schemas.parse import parse
from api.schemas.views import BudgetOut, QuotaOut, ViewBody, ViewOut
from guard.principals import Principal
from guard.views import Refused, Served, ViewRequest
from policies.model import Act


class DirectRoute(APIRoute):
    """Serves `view` without FastAPI's dependency solver, which costs more than the view's parse.

    FastAPI still reads `view`'s signature for the OpenAPI document; what is done here is what that
    signature says, and a test compares the two. See docs/adr/0007-view-route.md.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read, authenticate, parse, answer."""

        async def handle(request: Request) -> Response:
            content = await text_of(request)
            principal = await authenticated(request, Scope.VIEWS_WRITE)
            return await view(
                request, parse(ViewBody, content), request.app.state.services, principal
            )

        return handle


routes = router("views")
direct = APIRouter(route_class=DirectRoute, tags=["views"])


@direct.post(
    "/v1/views",
    response_model=ViewOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 429),
    summary="View a customer's record, masked",
)
async def view(
    request: Request,
    body: ViewBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.VIEWS_WRITE)],
) -> Response:
    """Answer with the record, why each field looks as it does, and a receipt of the entry.

    A refusal is a problem document and carries the receipt of its own entry. Repeating a view is
    a new view: the record is fetched, decided and logged again.
    """
    asked = ViewRequest(
        customer=body.customer,
        purpose=body.purpose,
        case=body.case,
        fields=None if body.fields is None else tuple(body.fields),
        reason=body.reason,
        device=body.device,
    )
    answer = await services.broker.view(principal, asked)
    outcome = "permitted" if isinstance(answer, Served) else answer.code.value
    services.metrics.views.labels(outcome).inc()
    services.metrics.acts.labels(Act.VIEW.value, outcome).inc()
    if isinstance(answer, Refused):
        raise RefusalError(answer)
    request.state.entry, request.state.outcome = answer.receipt.index, outcome
    headers = budget_headers(answer.budgets, services.clock.now())
    return Response(wire.encoded(wire.view(answer)), headers=headers, media_type="application/json")


@routes.get("/v1/quota", responses=documents(403), summary="What your own budgets still allow")
async def quota(
    services: Guarded, principal: Annotated[Principal, caller(Scope.QUOTA_READ)]
) -> QuotaOut:
    """List the caller's own budgets; never a team's or vendor's."""
    return QuotaOut(quota=[BudgetOut.of(b) for b in await services.broker.quota(principal)])
