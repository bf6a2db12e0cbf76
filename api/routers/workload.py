"""A desk's own work: the open cases of whoever asks."""

from typing import Annotated

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Guarded, caller, documents
from api.schemas.workload import OwnCaseOut, WorkloadOut
from guard.principals import Principal

routes = router("cases")


@routes.get("/v1/cases/mine", responses=documents(403), summary="Your own open cases")
async def mine(
    services: Guarded, principal: Annotated[Principal, caller(Scope.VIEWS_WRITE)]
) -> WorkloadOut:
    """List the caller's open cases, oldest first: references to work with, no customer's data."""
    cases = await services.workload.mine(principal)
    return WorkloadOut(cases=[OwnCaseOut.of(case) for case in cases])
