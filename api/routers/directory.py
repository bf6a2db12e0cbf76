"""Who works where, and a ticket for the console."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.identity.sessions import TICKET_LIFE
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.directory import PrincipalsBody, PrincipalsOut
from api.schemas.log import TicketOut
from guard.clock import SECOND
from guard.errors import AccessDeniedError
from guard.principals import Principal

routes = router("people")


@routes.put(
    "/v1/principals",
    response_model=PrincipalsOut,
    dependencies=REPEATABLE,
    responses=documents(403),
    summary="Put people, AI agents and services",
)
async def put_principals(
    request: Request,
    body: PrincipalsBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.DIRECTORY_WRITE)],
) -> Response:
    """Insert or replace people of the caller's own tenant, all or none."""

    async def act() -> Response:
        rows = [person.row(principal.tenant) for person in body.principals]
        changed = await services.directory.put(principal, rows)
        return described(PrincipalsOut, PrincipalsOut(changed=changed))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/sign-in-tickets",
    status_code=201,
    responses=documents(403),
    summary="Get a one-time ticket for the console, for yourself",
)
async def ticket(services: Guarded, principal: Annotated[Principal, caller()]) -> TicketOut:
    """Turn a token into a console session: the ticket works once, within minutes.

    A tool that speaks for an agent, and an AI agent that acts for a person, get none.
    """
    if not principal.session.startswith("jwt:") or principal.actor is not None:
        raise AccessDeniedError("only a person's own token gets a ticket: sign in yourself")
    text = await services.credentials.sessions.ticket(principal.tenant, principal.id, principal)
    return TicketOut(ticket=text, expires_in_s=TICKET_LIFE // SECOND)
