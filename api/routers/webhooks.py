"""Deliveries of ticket systems, signed instead of authenticated by a bearer."""

from typing import Annotated

import msgspec
from fastapi import Header, Path, Request, Security
from fastapi.security import APIKeyHeader
from starlette.responses import Response

from api.identity.principals import Authenticator
from api.identity.webhooks import NAME, Webhooks
from api.middleware import router, text_of
from api.problems import MalformedBodyError
from api.routers.dependencies import Guarded, documents
from guard.purposes.feeds.registry import ADAPTERS
from guard.rows import WebhookDeliveryRow

routes = router("webhooks")
# Only puts the header into the OpenAPI document, in the place of a credential.
_signed = APIKeyHeader(
    name="webhook-signature",
    scheme_name="webhook",
    description="`v1,<base64>`: HMAC-SHA256 of id, timestamp and body; several, by spaces.",
    auto_error=False,
)
_ANY_OBJECT = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@routes.post(
    "/v1/webhooks/{source}",
    status_code=204,
    responses=documents(401, 403, 404, 409),
    openapi_extra=_ANY_OBJECT,
    summary="Take in what a ticket system reports",
)
async def deliver(
    request: Request,
    services: Guarded,
    source: Annotated[str, Path(pattern=NAME)],
    _id: Annotated[
        str | None, Header(alias="webhook-id", description="The sender's id of the delivery.")
    ] = None,
    _timestamp: Annotated[
        str | None, Header(alias="webhook-timestamp", description="When it was signed, in seconds.")
    ] = None,
    _signature: Annotated[str | None, Security(_signed)] = None,
) -> Response:
    """Put the case that a signed delivery is about; the same delivery twice changes nothing."""
    webhooks: Webhooks = request.app.state.webhooks
    authenticator: Authenticator = request.app.state.authenticator
    body = await text_of(request)
    sender, signed = webhooks.verify(source, request.headers, body)
    principal = await authenticator.service(sender.tenant, sender.principal, f"webhook:{source}")
    try:
        payload = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedBodyError from error
    case = ADAPTERS[sender.adapter](payload, sender.customers)
    delivery = WebhookDeliveryRow(tenant=sender.tenant, source=source, id=signed.id, at=signed.at)
    await services.cases.deliver(principal, case, delivery)
    return Response(status_code=204)
