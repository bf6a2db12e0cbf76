"""A queue of customers at once, always masked."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api import wire
from api.identity.scopes import Scope
from api.middleware import router
from api.problems import budget_headers
from api.routers.dependencies import Guarded, caller, documents
from api.routers.outcomes import outcome_of, problem
from api.schemas.listings import ListBody, ListOut
from guard.principals import Principal
from guard.quotas import BudgetStatus
from guard.views import Failed, ListRequest, Refused, Served
from policies.model import Act

routes = router("views")


@routes.post(
    "/v1/views:batch",
    response_model=ListOut,
    responses=documents(403),
    summary="View a queue of customers, masked",
)
async def listing(
    request: Request,
    body: ListBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.VIEWS_WRITE)],
) -> Response:
    """Answer with an outcome for each customer, in order: its masked record, or its problem."""
    asked = ListRequest(
        customers=tuple(body.customers),
        purpose=body.purpose,
        fields=None if body.fields is None else tuple(body.fields),
        device=body.device,
    )
    answers = await services.broker.listing(principal, asked)
    for answer in answers:
        services.metrics.acts.labels(Act.LIST.value, outcome_of(answer)).inc()
    pairs = zip(body.customers, answers, strict=True)
    budgets = _newest(answers)
    content = {
        "customers": [{"customer": ref} | _one(request, answer) for ref, answer in pairs],
        "quota": wire.quota(budgets),
    }
    headers = budget_headers(budgets, services.clock.now())
    return Response(wire.encoded(content), headers=headers, media_type="application/json")


def _one(request: Request, answer: Served | Refused | Failed) -> dict[str, object]:
    if not isinstance(answer, Served):
        return {"problem": problem(request, answer)}
    content = wire.view(answer)
    # Once for the whole queue.
    del content["quota"], content["mode"]
    return content


def _newest(answers: Sequence[Served | Refused | Failed]) -> tuple[BudgetStatus, ...]:
    """The budgets as the last of the entries left them."""
    with_budgets = [a for a in answers if not isinstance(a, Failed) and a.budgets]
    last = max(with_budgets, key=lambda answer: answer.receipt.writer_seq, default=None)
    return () if last is None else last.budgets
