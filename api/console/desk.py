"""The desk of somebody who serves customers: their open cases, and a customer's masked record.

A record is shown in answer to a form, never to a link: looking is an act with an entry, and a
browser must not repeat it by itself. The customer stays a reference that can be copied; values
need not be, because searching, calling and merging go by reference.
"""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import Response

from api.console.record_rows import record_rows
from api.console.session import SignedForm, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX, page
from api.routers.dependencies import Guarded
from api.schemas.words import Ident
from guard.views import Refused, ViewRequest
from policies.model import Purpose

routes = router("console")
Agent = Annotated[SignedIn, visitor(Scope.VIEWS_WRITE)]


class RecordForm(SignedForm):
    """Whose record to open. The case is bound by itself unless one is named."""

    customer: Ident
    purpose: Purpose = Purpose.SUPPORT_CASE
    case: Ident | None = None


@routes.get(PREFIX + "/desk", include_in_schema=False)
async def desk(services: Guarded, signed_in: Agent) -> Response:
    """Show one's own open cases."""
    cases = await services.workload.mine(signed_in.principal)
    return page("desk.html", signed_in=signed_in, cases=cases, purposes=list(Purpose))


@routes.post(PREFIX + "/desk/record", include_in_schema=False)
async def record(
    request: Request, form: Annotated[RecordForm, Form()], services: Guarded, signed_in: Agent
) -> Response:
    """Open a customer's record; a refusal says why and what to do."""
    verify(request, signed_in, form)
    asked = ViewRequest(customer=form.customer, purpose=form.purpose.value, case=form.case)
    answer = await services.broker.view(signed_in.principal, asked)
    shown = {"signed_in": signed_in, "customer": form.customer, "purpose": form.purpose.value}
    if isinstance(answer, Refused):
        request.state.outcome = answer.code.value
        return page("refused.html", 403, refused=answer, **shown)
    request.state.entry = answer.receipt.index
    return page("record.html", served=answer, rows=record_rows(answer), **shown)
