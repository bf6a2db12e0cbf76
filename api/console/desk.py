"""The desk of somebody who serves customers: their open cases, a search, and a masked record.

A record is shown in answer to a form, never to a link: looking is an act with an entry, and a
browser must not repeat it by itself. The customer stays a reference that can be copied; values
need not be, because searching, calling and merging go by reference.
"""

import secrets
from typing import Annotated, Literal

from fastapi import Form
from starlette.requests import Request
from starlette.responses import Response

from api.console.desk_pages import About, AboutForm, carried_out, desk_page, offered
from api.console.record_rows import offers_of, record_rows
from api.console.session import SignedForm, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX
from api.routers.dependencies import Guarded
from api.routers.outcomes import noted
from api.schemas.searches import Identifier
from api.schemas.words import Prose
from guard.views import SearchRequest, ViewRequest
from policies.model import Act, Purpose

routes = router("console")
Agent = Annotated[SignedIn, visitor(Scope.VIEWS_WRITE)]


class RecordForm(AboutForm):
    """Whose record to open. The case is bound by itself unless one is named."""

    reason: Prose | None = None


class SearchForm(SignedForm):
    """What the customer said, whole."""

    kind: Literal["account", "email", "phone"]
    value: Identifier
    purpose: Purpose = Purpose.SUPPORT_CASE
    reason: Prose | None = None


@routes.get(PREFIX + "/desk", include_in_schema=False)
async def desk(services: Guarded, signed_in: Agent) -> Response:
    """Show one's own open cases, and what to look for a customer by."""
    cases = await services.workload.mine(signed_in.principal)
    return desk_page("desk.html", signed_in, cases=cases)


@routes.post(PREFIX + "/desk/search", include_in_schema=False)
async def search(
    request: Request,
    form: Annotated[SearchForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.SEARCHES_WRITE)],
) -> Response:
    """Answer with a reference or none; what was typed is not said again."""
    verify(request, signed_in, form)
    asked = SearchRequest(
        kind=form.kind, value=form.value, purpose=form.purpose.value, reason=form.reason
    )
    said = await services.broker.search(signed_in.principal, asked)
    found = carried_out(request, Act.SEARCH, said, signed_in, About(purpose=form.purpose))
    noted(request, found.receipt)
    about = About(customer=found.customer or "", purpose=form.purpose)
    return desk_page("found.html", signed_in, found=found, kind=form.kind, about=about)


@routes.post(PREFIX + "/desk/record", include_in_schema=False)
async def record(
    request: Request, form: Annotated[RecordForm, Form()], services: Guarded, signed_in: Agent
) -> Response:
    """Open a customer's record; a refusal says why and what to do."""
    verify(request, signed_in, form)
    asked = ViewRequest(
        customer=form.customer, purpose=form.purpose.value, case=form.case, reason=form.reason
    )
    said = await services.broker.view(signed_in.principal, asked)
    served = carried_out(request, Act.VIEW, said, signed_in, form.about)
    noted(request, served.receipt)
    offers = offers_of(served)
    return desk_page(
        "record.html",
        signed_in,
        served=served,
        rows=record_rows(served),
        about=form.about,
        offers=offers,
        offered=offered(offers.steps),
        once=secrets.token_urlsafe(16),
    )
