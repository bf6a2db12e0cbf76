"""Opening single fields of a view for some seconds."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api import wire
from api.identity.scopes import Scope
from api.middleware import router
from api.problems import budget_headers
from api.routers.dependencies import Guarded, caller, documents
from api.routers.outcomes import accepted, noted
from api.schemas.reveals import RevealBody, RevealOut
from api.schemas.words import Ident
from guard.clock import to_rfc3339
from guard.principals import Principal
from guard.views import RevealRequest
from policies.model import Act

routes = router("reveals")


@routes.post(
    "/v1/views/{entry_id}/reveals",
    response_model=RevealOut,
    responses=documents(403, 404, 429),
    summary="Open single fields of a view",
)
async def reveal(
    request: Request,
    entry_id: Ident,
    body: RevealBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.REVEALS_WRITE)],
) -> Response:
    """Answer with the values of those fields alone; `entry_id` is in the view's receipt.

    Fields that stay covered are listed in `refused` with why; if all do, the call is refused.
    """
    asked = RevealRequest(
        view=entry_id, fields=tuple(body.fields), reason=body.reason, device=body.device
    )
    answer = accepted(request, Act.REVEAL, await services.broker.reveal(principal, asked))
    shown = answer.shown
    noted(request, shown.receipt)
    content = wire.view(shown) | {
        "refused": wire.notes(answer.refused),
        "expires_at": to_rfc3339(answer.expires_at),
        "expires_in_s": answer.expires_in_s,
    }
    headers = budget_headers(shown.budgets, services.clock.now())
    return Response(wire.encoded(content), headers=headers, media_type="application/json")
