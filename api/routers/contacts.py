"""Calling or writing to a customer whose address nobody is shown."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api import wire
from api.identity.scopes import Scope
from api.middleware import router
from api.problems import budget_headers
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.routers.outcomes import accepted, noted, outcome_of, problem
from api.schemas.contacts import ContactBody, ContactOut
from guard.principals import Principal
from guard.views import Contacted, ContactRequest, DeliveryState, Failed, Refused
from policies.model import Act

OK, TAKEN = 200, 202

routes = router("contacts")


@routes.post(
    "/v1/contacts",
    response_model=ContactOut,
    dependencies=REPEATABLE,
    responses={
        **documents(403, 404, 429),
        TAKEN: {"model": ContactOut, "description": "Nobody knows yet whether it arrived."},
    },
    summary="Call or write to a customer",
)
async def contact(
    request: Request,
    body: ContactBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.CONTACTS_WRITE)],
) -> Response:
    """Answer how it ended, with the channel's own id of it and two receipts; never the address.

    With an `Idempotency-Key` a repeated request is not sent a second time.
    """
    asked = ContactRequest(
        customer=body.customer,
        channel=body.channel,
        purpose=body.purpose,
        case=body.case,
        subject=body.subject,
        text=body.text,
        cc=tuple(body.cc),
        device=body.device,
    )

    async def act() -> Response:
        said = await services.broker.contact(principal, asked)
        answer = accepted(request, Act.CONTACT, said)
        for other in answer.cc:
            services.metrics.acts.labels(Act.CONTACT.value, outcome_of(other)).inc()
        noted(request, answer.receipt, answer.state.value)
        copies = zip(asked.cc, answer.cc, strict=True)
        content = _delivery(answer) | {
            "would": answer.would,
            "quota": wire.quota(answer.budgets),
            "cc": [_copy(request, ref, copy) for ref, copy in copies],
        }
        status = TAKEN if answer.state is DeliveryState.UNKNOWN else OK
        headers = budget_headers(answer.budgets, services.clock.now())
        return Response(wire.encoded(content), status, headers, media_type="application/json")

    return await replies.once(request, principal, act)


def _delivery(answer: Contacted) -> dict[str, object]:
    return {
        "customer": answer.customer,
        "state": answer.state,
        "channel_id": answer.channel_id,
        "next": answer.next,
        "receipt": answer.receipt,
        "delivery": answer.delivery,
    }


def _copy(request: Request, ref: str, copy: Contacted | Refused | Failed) -> dict[str, object]:
    if isinstance(copy, Contacted):
        return _delivery(copy)
    return {"customer": ref, "problem": problem(request, copy)}
