"""The HTTP application: routers, console, middleware and error table put together.

It is handed its services and knows none of their makers; `api.bootstrap` builds them.
"""

import functools
from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from api import openapi
from api.console import pages
from api.cursors import Cursors
from api.idempotency import Replies
from api.identity.issuer import LocalIssuer
from api.identity.jwks import FetchedKeys, FixedKeys, KeySource, http_fetch
from api.identity.principals import Authenticator
from api.identity.tokens import TokenVerifier
from api.identity.webhooks import Webhooks
from api.middleware import Edge
from api.places import product_version
from api.ports import Services
from api.problems import TABLE, RefusalError, on_error
from api.routers import (
    access_reviews,
    alerts,
    api_keys,
    cases,
    contacts,
    directory,
    disputes,
    erasures,
    evidence,
    exports,
    grants,
    health,
    history,
    hold_backs,
    holds,
    listings,
    log,
    merges,
    modes,
    policies,
    redactions,
    relations,
    reveals,
    samples,
    searches,
    suspensions,
    tiles,
    verifications,
    views,
    webhooks,
    work_lists,
    workload,
)
from api.settings import Settings
from guard.clock import Micros, wall_micros

DESCRIPTION = "Customer records, masked, metered, bound to a purpose, and provably logged."
# In the order of the OpenAPI document.
ROOMS = (
    views,
    listings,
    reveals,
    searches,
    verifications,
    contacts,
    merges,
    redactions,
    cases,
    workload,
    work_lists,
    grants,
    relations,
    samples,
    webhooks,
    directory,
    api_keys,
    alerts,
    suspensions,
    modes,
    policies,
    access_reviews,
    erasures,
    holds,
    log,
    history,
    disputes,
    hold_backs,
    evidence,
    exports,
    tiles,
    health,
)
# FastAPI's own telemetry would record paths, queries, validation failures and stack traces.
NO_TELEMETRY = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(services: Services, *, wall: Callable[[], Micros] = wall_micros) -> FastAPI:
    """Build the application; `wall` tells the real time that tokens and sessions live by.

    Raises:
        ConfigurationError: Keys of the token issuer or of the cursors, or a webhook's set-up,
            cannot be used.
    """
    settings = services.settings
    app = FastAPI(
        title="Recordguard",
        version=product_version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,  # type: ignore[arg-type] # a plain dict of its own keys
        middleware=[
            Middleware(Edge, metrics=services.metrics, max_body_bytes=settings.max_body_bytes)
        ],
    )
    app.state.services = services
    app.state.cursors = Cursors.open(settings.data_dir)
    app.state.replies = Replies(
        services.committer, services.readers, services.clock, services.keyring
    )
    app.state.readiness = health.Readiness(services)
    app.state.authenticator = Authenticator(
        services.readers, token_verifier(settings, wall), clock=services.clock, wall=wall
    )
    app.state.webhooks = Webhooks.open(settings.secrets_dir, wall)
    for kind in (*TABLE, RefusalError, HTTPException, RequestValidationError):
        # What nobody expected goes to `Edge`: a handler for `Exception` would raise it again.
        if kind is not Exception:
            app.add_exception_handler(kind, on_error)
    app.router.routes.extend(_routes())
    pages.install(app)
    app.openapi = functools.partial(openapi.document, app)  # type: ignore[method-assign] # FastAPI's own hook
    return app


@functools.cache
def _routes() -> tuple[BaseRoute, ...]:
    """All routes: they hold no service, so the applications of a process share them.

    FastAPI works out the signatures of a router when a request first comes by, which takes longer
    than all the rest of making an application.
    """
    router = APIRouter()
    for part in (views.direct, work_lists.streamed, *(room.routes for room in ROOMS), *pages.PARTS):
        router.include_router(part)
    return tuple(router.routes)


def token_verifier(settings: Settings, wall: Callable[[], Micros]) -> TokenVerifier | None:
    """The verifier that the settings ask for; None: API keys only.

    Raises:
        ConfigurationError: The keys cannot be read.
    """
    keys: KeySource
    if settings.jwks_file is not None:
        keys = FixedKeys.from_file(settings.jwks_file)
    elif settings.jwks_url:
        keys = FetchedKeys(http_fetch(settings.jwks_url))
    elif settings.demo:
        keys = local_issuer(settings, wall).keys()
    else:
        return None
    return TokenVerifier(keys, issuer=settings.issuer, audience=settings.audience, wall=wall)


def local_issuer(settings: Settings, wall: Callable[[], Micros] = wall_micros) -> LocalIssuer:
    """The demo issuer of this data directory.

    Raises:
        ConfigurationError: Its key file cannot be used.
    """
    return LocalIssuer.open(
        settings.data_dir, issuer=settings.issuer, audience=settings.audience, wall=wall
    )
