"""Who is at the console: the cookie in, the cookie out, and forms that prove their origin."""

from typing import Annotated

from fastapi import Request, Security
from fastapi.params import Security as SecurityParam
from fastapi.security import SecurityScopes
from pydantic import StringConstraints
from starlette.responses import Response

from api.identity.errors import SignInError
from api.identity.scopes import Scope
from api.identity.sessions import LIFE, SignedIn, check_csrf, check_same_origin
from api.routers.dependencies import services
from api.schemas.words import Body
from guard.clock import SECOND
from guard.errors import AccessDeniedError

Secret = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9_-]*$")]
# What somebody suspended may still use: their own page, to see why and to object.
OWN_PAGE = Scope.NOTICES_READ


class SignedForm(Body):
    """Base of every form of somebody signed in."""

    csrf: Secret


def cookie_name(request: Request) -> str:
    """`__Host-` binds a cookie to this host and https; plain http (loopback) cannot have it."""
    return "__Host-recordguard" if request.url.scheme == "https" else "recordguard"


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Hand the session out: not to scripts, not to other sites, not beyond its life."""
    response.set_cookie(
        cookie_name(request),
        value,
        max_age=LIFE // SECOND,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def drop_cookie(request: Request, response: Response) -> None:
    """Make the browser forget."""
    response.delete_cookie(
        cookie_name(request),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def same_origin(request: Request) -> None:
    """Refuse a form from another site.

    Raises:
        AccessDeniedError: It is one.
    """
    check_same_origin(request.headers, request.headers.get("host", ""))


async def _signed_in(request: Request, scopes: SecurityScopes) -> SignedIn:
    cookie = request.cookies.get(cookie_name(request))
    if not cookie:
        raise SignInError("sign in to see this page")
    credentials = (await services(request)).credentials
    found = await credentials.sessions.find(cookie)
    if any(scope not in found.principal.scopes for scope in scopes.scopes):
        raise AccessDeniedError("your role does not open this page")
    if found.is_suspended and OWN_PAGE.value not in scopes.scopes:
        raise AccessDeniedError("your access is suspended: your own page says why")
    return found


def visitor(*scopes: Scope) -> SecurityParam:
    """Whoever is signed in, if their role has all `scopes`."""
    found: SecurityParam = Security(_signed_in, scopes=[scope.value for scope in scopes])
    return found


def verify(request: Request, signed_in: SignedIn, form: SignedForm) -> None:
    """Check that a form is this session's own.

    Raises:
        AccessDeniedError: It is not.
    """
    same_origin(request)
    check_csrf(signed_in, form.csrf)
