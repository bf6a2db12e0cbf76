"""Texts of customers, redacted for the desk that shows them."""

from typing import Annotated

from fastapi import Request

from api.identity.scopes import Scope
from api.middleware import router
from api.problems import RefusalError
from api.routers.dependencies import Guarded, caller, documents
from api.schemas.redactions import RedactionBody, RedactionOut
from guard.principals import Principal
from guard.redactions import RedactionRequest
from guard.views import Refused

routes = router("redactions")


@routes.post(
    "/v1/redactions",
    responses=documents(403, 404, 429),
    summary="Take a customer's own values out of what they wrote",
)
async def redact(
    request: Request,
    body: RedactionBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.REDACTIONS_WRITE)],
) -> RedactionOut:
    """Answer with the text without this customer's values and whatever looks like an identifier.

    For services only: what is missing from a text of guesses tells which of them were right.
    """
    asked = RedactionRequest(customer=body.customer, text=body.text, case=body.case)
    answer = await services.redactions.redact(principal, asked)
    if isinstance(answer, Refused):
        raise RefusalError(answer)
    request.state.entry = answer.receipt.index
    return RedactionOut.model_validate(answer)
