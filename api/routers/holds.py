"""Legal holds: what is kept whatever runs out and whoever asks for its erasure."""

from typing import Annotated

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Guarded, caller, documents
from api.schemas.holds import HoldBody, HoldOut, HoldsOut
from api.schemas.words import Ident
from guard.principals import Principal

routes = router("holds")
Writer = Annotated[Principal, caller(Scope.HOLDS_WRITE)]


@routes.post("/v1/holds", responses=documents(403, 404), summary="Set a legal hold")
async def place(body: HoldBody, services: Guarded, principal: Writer) -> HoldOut:
    """Keep a customer, an agent, a case or a time; in force when this answers."""
    return HoldOut.model_validate(await services.holds.set(principal, body.put()))


@routes.post(
    "/v1/holds/{hold_id}/lifts", responses=documents(403, 404, 409), summary="Lift a legal hold"
)
async def lift(hold_id: Ident, services: Guarded, principal: Writer) -> HoldOut:
    """Propose to lift a hold; called by a second person of another line, lift it."""
    return HoldOut.model_validate(await services.holds.lift(principal, hold_id))


@routes.get("/v1/holds", responses=documents(403), summary="All legal holds")
async def listed(
    services: Guarded, principal: Annotated[Principal, caller(Scope.HOLDS_READ)]
) -> HoldsOut:
    """In force and lifted, oldest first."""
    rows = await services.holds.list(principal)
    return HoldsOut(holds=[HoldOut.model_validate(row) for row in rows])
