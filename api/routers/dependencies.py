"""What routes ask for: the services, the caller with a scope, and how problems are documented."""

from typing import Annotated

from fastapi import Depends, Header, Query, Request, Security
from fastapi.params import Security as SecurityParam
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.cursors import Cursors
from api.idempotency import Replies
from api.identity.principals import Authenticator
from api.identity.scopes import Scope
from api.ports import Services
from guard.errors import AccessDeniedError
from guard.principals import Principal

ASSERTED = "X-Asserted-Agent"
bearer = HTTPBearer(
    scheme_name="bearer",
    description="An access token of the configured issuer, or an API key (`rgk_…`).",
    auto_error=False,
)


# All of these are `async` though they await nothing: FastAPI runs a plain function in a thread,
# which costs more than all the rest of a request.


async def services(request: Request) -> Services:
    """The services of this application."""
    found: Services = request.app.state.services
    return found


async def authenticated(request: Request, *scopes: str) -> Principal:
    """The caller of a request, who must have all `scopes`.

    Raises:
        CredentialError: There is no credential that holds.
        AccessDeniedError: Its bearer has no place here, or lacks a scope.
    """
    authenticator: Authenticator = request.app.state.authenticator
    headers = request.headers
    principal = await authenticator.authenticate(
        headers.get("authorization"), headers.get(ASSERTED)
    )
    for scope in scopes:
        if scope not in principal.scopes:
            raise AccessDeniedError(
                f"this credential lacks the scope `{scope}`: ask somebody whose role has it"
            )
    return principal


async def _caller(
    request: Request,
    scopes: SecurityScopes,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    _asserted: Annotated[
        str | None, Header(alias=ASSERTED, description="The agent a tool speaks for.")
    ] = None,
) -> Principal:
    return await authenticated(request, *scopes.scopes)


def caller(*scopes: Scope) -> SecurityParam:
    """The authenticated caller, if the credential has all `scopes`."""
    found: SecurityParam = Security(_caller, scopes=[scope.value for scope in scopes])
    return found


def documents(*statuses: int) -> dict[int | str, dict[str, object]]:
    """OpenAPI of the problems that a route may answer with; see `api.openapi`."""
    return {status: {"description": "A problem document."} for status in statuses}


async def _cursors(request: Request) -> Cursors:
    found: Cursors = request.app.state.cursors
    return found


async def _replies(request: Request) -> Replies:
    found: Replies = request.app.state.replies
    return found


async def _idempotency_key(
    _documented: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Repeat a request with the same key to get the same answer.",
        ),
    ] = None,
) -> None:
    """Only puts the header into the OpenAPI document; `api.idempotency` reads it."""


Guarded = Annotated[Services, Depends(services)]
Pages = Annotated[Cursors, Depends(_cursors)]
Kept = Annotated[Replies, Depends(_replies)]
REPEATABLE = [Depends(_idempotency_key)]
Cursor = Annotated[
    str | None, Query(max_length=512, description="`next` of the page before; absent: the first.")
]
