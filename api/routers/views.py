"""Viewing a record, and what is left of one's own budgets."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router, text_of
from api.problems import RefusalError, budget_headers
from api.routers.dependencies import REPEATABLE, Guarded, authenticated, caller, documents
from api.schemas.parse import parse
from api.schemas.views import BudgetOut, QuotaOut, ViewBody, ViewOut
from guard.clock import to_rfc3339
from guard.masking import MaskedRecord
from guard.principals import Principal
from guard.views import Refused, Served, ViewRequest


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
    if isinstance(answer, Refused):
        raise RefusalError(answer)
    request.state.entry, request.state.outcome = answer.receipt.index, outcome
    headers = budget_headers(answer.budgets, services.clock.now())
    return Response(_encode(answer), headers=headers, media_type="application/json")


@routes.get("/v1/quota", responses=documents(403), summary="What your own budgets still allow")
async def quota(
    services: Guarded, principal: Annotated[Principal, caller(Scope.QUOTA_READ)]
) -> QuotaOut:
    """List the caller's own budgets; never a team's or vendor's."""
    return QuotaOut(quota=[BudgetOut.of(b) for b in await services.broker.quota(principal)])


def _encode(served: Served) -> bytes:
    """Write a view; pydantic would walk the whole record a second time."""
    document = {
        "record": served.record,
        "fields": [
            {"path": n.path, "class": n.cls, "form": n.form.name.lower(), "why": n.why}
            for n in served.fields
        ],
        "mode": served.mode,
        "would": served.would,
        "quota": [
            {
                "name": b.name,
                "measure": b.measure,
                "window": b.window,
                "limit": b.limit,
                "used": b.used,
                "left": b.left,
                "resets_at": to_rfc3339(b.resets_at),
            }
            for b in served.budgets
        ],
        "receipt": served.receipt,
        "view_code": served.view_code,
    }
    return msgspec.json.encode(document, enc_hook=_masked_only)


def _masked_only(value: object) -> object:
    """The one kind of record that has a wire form; a raw one is an error here."""
    if isinstance(value, MaskedRecord):
        return msgspec.Raw(value.to_json_bytes())
    raise TypeError("this has no wire form")
