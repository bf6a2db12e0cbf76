"""Keys of tools: made and revoked while the service runs."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.api_keys import ApiKeyBody, ApiKeyOut, NewApiKeyOut
from api.schemas.words import Ident
from guard.principals import Principal

routes = router("keys")


@routes.post(
    "/v1/api-keys",
    status_code=201,
    responses=documents(403, 404),
    summary="Make a key for a tool",
)
async def create(
    body: ApiKeyBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.API_KEYS_WRITE)],
) -> NewApiKeyOut:
    """Make a key of the caller's tenant; its text is in this answer only.

    So the answer is not kept under an `Idempotency-Key`: revoke a key whose answer was lost.
    """
    row, text = await services.credentials.create_api_key(body.put(principal.tenant), principal)
    return NewApiKeyOut(id=row.id, key=text)


@routes.delete(
    "/v1/api-keys/{key_id}",
    response_model=ApiKeyOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Revoke a key",
)
async def revoke(
    request: Request,
    key_id: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.API_KEYS_WRITE)],
) -> Response:
    """Revoke at once: the next request with this key is refused."""

    async def act() -> Response:
        row = await services.credentials.revoke_api_key(principal.tenant, key_id, principal)
        return described(ApiKeyOut, row)

    return await replies.once(request, principal, act)
