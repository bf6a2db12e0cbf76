"""Reading the log: who saw what, and the proofs."""

from dataclasses import astuple, replace
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Cursor, Guarded, Pages, caller, documents
from api.schemas.alerts import EntryOut
from api.schemas.log import ENTRY, MAX_PAGE, CountOut, KindWord, LogPageOut, place_of
from api.schemas.words import Ident, Instant, Prose, Word
from guard.entries import LOOKS, EntryKind
from guard.principals import Principal
from guard.rows import LogQuery

routes = router("log")
DEFAULT_PAGE = 100


@routes.get(
    "/v1/log/views",
    responses=documents(403, 404),
    summary="Who saw a customer, what one saw",
)
async def views(  # noqa: PLR0913, PLR0917 - each is a query parameter
    services: Guarded,
    cursors: Pages,
    principal: Annotated[Principal, caller(Scope.LOG_READ)],
    customer: Annotated[Ident | None, Query(description="An opaque reference.")] = None,
    agent: Annotated[
        Ident | None, Query(description="Who asked, or the AI agent that acted; needs a reason.")
    ] = None,
    reason: Annotated[
        Prose | None, Query(description="Why you ask; kept in the entry of your question.")
    ] = None,
    purpose: Annotated[Word | None, Query()] = None,
    field: Annotated[
        Word | None, Query(description="A class of fields: something of it was shown.")
    ] = None,
    clear: Annotated[bool, Query(description="Only what was shown in plain.")] = False,  # noqa: FBT002 - a query parameter
    vendor: Annotated[Word | None, Query()] = None,
    team: Annotated[Word | None, Query()] = None,
    region: Annotated[Word | None, Query()] = None,
    link: Annotated[Word | None, Query(description="What explained the view when made.")] = None,
    kind: Annotated[
        list[KindWord], Query(max_length=16, description="None: views and refusals.")
    ] = [],  # noqa: B006 - FastAPI copies it
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> LogPageOut:
    """A page of views and refusals, newest first. Asking is an entry of the log too.

    All that is named must hold. A page ends at its limit or at a bound on its work: then it may
    hold few entries, even none, and `next` goes on where it stopped looking.
    """
    query = LogQuery(
        tenant=principal.tenant,
        ref=customer,
        agent_id=agent,
        purpose=purpose,
        field=field,
        is_clear=clear,
        vendor=vendor,
        team=team,
        regions=() if region is None else (region,),
        link=link,
        kinds=tuple(EntryKind[one.upper()] for one in kind) or LOOKS,
        since=since,
        until=until,
        limit=limit,
    )
    question = ("views", principal.id, *(str(part) for part in astuple(query)[:-1]))
    position = cursors.read(cursor, *question)
    asked = replace(query, before=None if position is None else int(position))
    found = await services.auditing.views(principal, asked, reason or "")
    following = found.following
    places = [entry.index for entry in found.entries]
    repaired = await services.readers.read(lambda view: view.late_links(places))
    return LogPageOut(
        entries=[EntryOut.of(one, late_link=repaired.get(one.index)) for one in found.entries],
        next=None if following is None else cursors.make(str(following), *question),
        is_partial=following is not None and len(found.entries) < limit,
        elsewhere=None if found.elsewhere is None else CountOut.of(found.elsewhere),
    )


@routes.get(
    "/v1/log/entries/{entry}",
    responses=documents(403, 404),
    summary="One entry",
)
async def entry(
    entry: Annotated[str, Path(pattern=ENTRY, description="Its index, or its id in hex.")],
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.LOG_READ)],
) -> EntryOut:
    """One entry, opened. Looking is an entry of the log too."""
    found = await services.auditing.entry(principal, place_of(entry))
    repaired = await services.readers.read(lambda view: view.late_links([found.index]))
    return EntryOut.of(found, late_link=repaired.get(found.index))


@routes.get(
    "/v1/log/checkpoint",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documents(403, 404)},
    summary="The newest signed checkpoint",
)
async def checkpoint(
    services: Guarded, _principal: Annotated[Principal, caller(Scope.LOG_VERIFY)]
) -> Response:
    """A C2SP checkpoint: origin, size and root of the log, signed."""
    return _text(await services.auditing.checkpoint())


@routes.get(
    "/v1/log/proof/{entry}",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documents(403, 404)},
    summary="The proof that an entry is in the log",
)
async def proof(
    entry: Annotated[str, Path(pattern=ENTRY, description="Its index, or its id in hex.")],
    services: Guarded,
    _principal: Annotated[Principal, caller(Scope.LOG_VERIFY)],
) -> Response:
    """A C2SP tlog-proof: index, path and checkpoint; it names nobody."""
    return _text(await services.auditing.proof(place_of(entry)))


def _text(content: bytes) -> Response:
    return Response(content, media_type="text/plain; charset=utf-8")
