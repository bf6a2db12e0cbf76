"""Reading the log: who saw what, and the proofs."""

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Cursor, Guarded, Pages, caller, documents
from api.schemas.alerts import EntryOut
from api.schemas.log import MAX_PAGE, LogPageOut
from api.schemas.words import Ident, Instant, Word
from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.principals import Principal
from guard.rows import LogQuery

routes = router("log")
DEFAULT_PAGE = 100
# Every act at which something of a customer is shown, confirmed or used, or was meant to be.
VIEW_KINDS = (
    EntryKind.VIEW,
    EntryKind.REVEAL,
    EntryKind.LISTED,
    EntryKind.SEARCH,
    EntryKind.VERIFICATION,
    EntryKind.CONTACT,
    EntryKind.REFUSAL,
    EntryKind.FAILED,
)
# Largest index that fits the leaf's 64 bits.
MAX_INDEX = 2**63 - 1
ID_DIGITS = 32
ENTRY = r"^([0-9]{1,19}|[0-9a-f]{32})$"


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
    agent: Annotated[Ident | None, Query()] = None,
    purpose: Annotated[Word | None, Query()] = None,
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> LogPageOut:
    """A page of views and refusals, newest first. Asking is an entry of the log too."""
    if (customer is None) == (agent is None):
        raise InvalidRequestError("ask for one `customer` or one `agent`")
    asked = (customer or "", agent or "", purpose or "", str(since), str(until))
    question = ("views", principal.tenant, principal.id, *asked)
    position = cursors.read(cursor, *question)
    query = LogQuery(
        tenant=principal.tenant,
        ref=customer,
        agent_id=agent,
        purpose=purpose,
        kinds=VIEW_KINDS,
        since=since,
        until=until,
        before=None if position is None else int(position),
        limit=limit,
    )
    entries = await services.auditing.views(principal, query)
    is_full = len(entries) >= limit
    following = cursors.make(str(entries[-1].index), *question) if is_full else None
    places = [entry.index for entry in entries]
    repaired = await services.readers.read(lambda view: view.late_links(places))
    listed = [EntryOut.of(entry, late_link=repaired.get(entry.index)) for entry in entries]
    return LogPageOut(entries=listed, next=following)


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
    where = bytes.fromhex(entry) if len(entry) == ID_DIGITS else min(int(entry), MAX_INDEX)
    return _text(await services.auditing.proof(where))


def _text(content: bytes) -> Response:
    return Response(content, media_type="text/plain; charset=utf-8")
