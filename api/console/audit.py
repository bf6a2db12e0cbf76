"""The auditor's page: who saw a customer, what an agent saw, the checkpoint, and exports.

Questions are forms that are posted, so that no id stands in an address, a history or a proxy's log.
"""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Form, Path
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from api.console.session import SignedForm, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX, page
from api.routers.dependencies import Guarded, Pages
from api.routers.exports import stream
from api.schemas.alerts import EntryOut
from api.schemas.log import MAX_INDEX
from api.schemas.words import MAX_PROSE, Ident, Word
from guard.entries import LOOKS
from guard.errors import InvalidRequestError, NotFoundError
from guard.exports import ExportFormat
from guard.exports.order import MAX_WHY, ExportOrder
from guard.principals import Principal
from guard.rows import LogQuery

routes = router("console")
PAGE = 100
# What a question can be narrowed by.
NARROWED = ("field", "clear", "purpose", "vendor", "team", "link")

Auditor = Annotated[SignedIn, visitor(Scope.LOG_READ)]


class NarrowedForm(SignedForm):
    """What of the log is meant; an empty field narrows nothing."""

    id: Ident | None = None
    field: Word = ""
    clear: bool = False
    purpose: Word = ""
    vendor: Word = ""
    team: Word = ""
    link: Word = ""


class AskForm(NarrowedForm):
    """A question to the log."""

    about: Literal["customer", "agent", "all"]
    reason: Annotated[str, StringConstraints(max_length=MAX_PROSE)] = ""
    cursor: Annotated[str, StringConstraints(max_length=512)] = ""


class ExportForm(NarrowedForm):
    """A file of the log; without an id, of everybody."""

    format: ExportFormat
    about: Literal["all", "customer", "agent"] = "all"
    why: Annotated[
        str, StringConstraints(max_length=MAX_WHY, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    ] = ""


@routes.get(PREFIX + "/audit", include_in_schema=False)
async def audit(services: Guarded, signed_in: Auditor) -> Response:
    """The page before a question is asked."""
    return await _answer(services, signed_in, asked=None)


@routes.post(PREFIX + "/audit", include_in_schema=False)
async def ask(
    request: Request,
    form: Annotated[AskForm, Form()],
    services: Guarded,
    cursors: Pages,
    signed_in: Auditor,
) -> Response:
    """Answer a question; asking is an entry of the log."""
    verify(request, signed_in, form)
    who = signed_in.principal
    if form.about != "all" and form.id is None:
        raise InvalidRequestError(f"name the {form.about}, or ask about everything")
    asked = _narrowed(form)
    question = (
        "console-audit",
        who.tenant,
        who.id,
        form.about,
        form.id or "",
        *map(str, asked.values()),
    )
    position = cursors.read(form.cursor or None, *question)
    query = replace(_query(who, form), before=None if position is None else int(position))
    found = await services.auditing.views(who, query, form.reason)
    following = found.following
    return await _answer(
        services,
        signed_in,
        asked=form,
        narrowed=asked,
        entries=[EntryOut.of(entry) for entry in found.entries],
        following=None if following is None else cursors.make(str(following), *question),
        is_partial=following is not None and len(found.entries) < PAGE,
        elsewhere=found.elsewhere,
    )


@routes.get(PREFIX + "/audit/proof/{index}", include_in_schema=False)
async def proof(
    index: Annotated[int, Path(ge=0, le=MAX_INDEX)], services: Guarded, _signed_in: Auditor
) -> Response:
    """The proof of one entry, as a text that the offline verifier reads."""
    content = await services.auditing.proof(index)
    return Response(content, media_type="text/plain; charset=utf-8")


@routes.post(PREFIX + "/audit/export", include_in_schema=False)
async def export(
    request: Request,
    form: Annotated[ExportForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.EXPORTS_WRITE)],
) -> Response:
    """Send a file."""
    verify(request, signed_in, form)
    if form.about != "all" and form.id is None:
        raise InvalidRequestError(f"name the {form.about}, or export everything")
    query = _query(signed_in.principal, form)
    order = ExportOrder(format=form.format, query=query, why=form.why)
    return await stream(await services.exports.export(signed_in.principal, order))


async def _answer(services: Guarded, signed_in: SignedIn, **context: object) -> Response:
    try:
        note = await services.auditing.checkpoint()
    except NotFoundError:
        note = b""
    return page(
        "audit.html",
        signed_in=signed_in,
        checkpoint=note.decode(),
        may_export=Scope.EXPORTS_WRITE.value in signed_in.principal.scopes,
        **context,
    )


def _narrowed(form: NarrowedForm) -> dict[str, str | bool]:
    return {name: getattr(form, name) for name in NARROWED}


def _query(who: Principal, form: AskForm | ExportForm) -> LogQuery:
    return LogQuery(
        tenant=who.tenant,
        ref=form.id if form.about == "customer" else None,
        agent_id=form.id if form.about == "agent" else None,
        field=form.field or None,
        is_clear=form.clear,
        purpose=form.purpose or None,
        vendor=form.vendor or None,
        team=form.team or None,
        link=form.link or None,
        kinds=LOOKS,
        limit=PAGE,
    )
