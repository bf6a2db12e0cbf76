"""Work lists: proposed, filled by a stream, approved by two people."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.words import Ident
from api.schemas.work_lists import (
    ApprovalBody,
    StatedListOut,
    UploadOut,
    WorkListBody,
    WorkListOut,
)
from guard.principals import Principal
from guard.purposes.list_rows import BadRow, CsvReader, Lines, ListRow, NdjsonReader, Reader

CSV, NDJSON = "text/csv", "application/x-ndjson"
_READERS: dict[str, Callable[[], Reader]] = {CSV: CsvReader, NDJSON: NdjsonReader}
_UPLOADED = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": {"type": "string"}, "example": "customer\ncAbCdEf\n"},
            NDJSON: {"schema": {"type": "string"}, "example": '{"customer": "cAbCdEf"}\n'},
        },
    }
}

routes = router("work lists")
# Without the look at the whole body that other routes take: this one is read as it arrives.
streamed = APIRouter(tags=["work lists"])


@routes.put(
    "/v1/work-lists/{list_id}",
    response_model=WorkListOut,
    dependencies=REPEATABLE,
    responses=documents(403, 409),
    summary="Propose a work list",
)
async def put_work_list(
    request: Request,
    list_id: Ident,
    body: WorkListBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.WORK_LISTS_WRITE)],
) -> Response:
    """Store a list that counts once two people of different lines have approved it."""

    async def act() -> Response:
        put = body.put(list_id)
        return described(WorkListOut, await services.work_lists.propose(principal, put))

    return await replies.once(request, principal, act)


@routes.get(
    "/v1/work-lists/{list_id}",
    responses=documents(403, 404),
    summary="A work list and the digest of its customers",
)
async def get_work_list(
    list_id: Ident,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.WORK_LISTS_APPROVE)],
) -> StatedListOut:
    """What somebody who approves it must know; the customers themselves are not shown."""
    return StatedListOut.of(await services.work_lists.get(principal, list_id))


@streamed.put(
    "/v1/work-lists/{list_id}/customers",
    response_model=UploadOut,
    responses=documents(400, 403, 404, 409, 413, 415),
    summary="Upload the customers of a proposed work list",
    openapi_extra=_UPLOADED,
)
async def upload_customers(
    request: Request,
    list_id: Ident,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.WORK_LISTS_WRITE)],
) -> Response:
    """Replace the list's customers by up to 100,000 rows of CSV (with a header) or NDJSON.

    A row has `customer`, or `source` and `source_key`. Rows that cannot be read or name nobody are
    left out and told by line number. Repeating an upload leaves the same list.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _READERS:
        raise HTTPException(415)
    rows = _rows(request, Lines(_READERS[kind]()))
    upload, stated = await services.work_lists.upload(principal, list_id, rows)
    return described(UploadOut, UploadOut.of(upload, stated))


@routes.post(
    "/v1/work-lists/{list_id}/approvals",
    response_model=StatedListOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Approve somebody else's work list",
)
async def approve_work_list(
    request: Request,
    list_id: Ident,
    services: Guarded,
    replies: Kept,
    body: ApprovalBody,
    principal: Annotated[Principal, caller(Scope.WORK_LISTS_APPROVE)],
) -> Response:
    """Approve the list that was read; after the second approval it counts from its start on."""

    async def act() -> Response:
        stated = await services.work_lists.approve(principal, list_id, body.digest)
        return described(StatedListOut, StatedListOut.of(stated))

    return await replies.once(request, principal, act)


async def _rows(request: Request, lines: Lines) -> AsyncIterator[ListRow | BadRow]:
    """The rows of a body as it arrives."""
    async for piece in request.stream():
        for row in lines.feed(piece):
            yield row
    for row in lines.finish():
        yield row
