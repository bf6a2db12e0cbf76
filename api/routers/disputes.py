"""Disputes: a customer says that a row of their history had nothing to do with them."""

from typing import Annotated

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Guarded, caller, documents
from api.schemas.history import DisputeBody, DisputeOut
from api.schemas.words import Ident
from guard.principals import Principal

routes = router("history")


@routes.post(
    "/v1/customers/{customer}/disputes",
    responses=documents(403, 404),
    summary="Dispute a row of a history",
)
async def dispute(
    customer: Ident,
    body: DisputeBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.DISPUTES_WRITE)],
) -> DisputeOut:
    """Keep that the customer says so; a row is disputed once, and repeating gives the first.

    For portals. Nobody is accused by it: it is weak evidence beside what the log itself shows.
    """
    row = await services.disputes.dispute(principal, customer, body.entry, body.text or "")
    return DisputeOut.model_validate(row)
