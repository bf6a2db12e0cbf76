"""Files of the log: asking for one, how far it is, going on with it, its manifest, the raw log."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Guarded, caller, documents
from api.schemas.exports import ExportBody, ExportJobOut
from api.schemas.log import MAX_INDEX
from guard.exporting import Download
from guard.exports import FORMATS, raw_blocks
from guard.principals import Principal

routes = router("exports")
JOB = r"^[0-9a-f]{32}$"
OFFSET = "export-offset"

Exporter = Annotated[Principal, caller(Scope.EXPORTS_WRITE)]
Job = Annotated[str, Path(pattern=JOB, description="As `location` of the export names it.")]
_FILE: dict[int | str, dict[str, object]] = {
    200: {"content": {one.media_type: {} for one in FORMATS.values()}}
}


@routes.post(
    "/v1/exports",
    response_class=StreamingResponse,
    responses={**_FILE, **documents(403)},
    summary="Export a part of the log",
)
async def export(body: ExportBody, services: Guarded, principal: Exporter) -> Response:
    """A file, sent in pieces; each piece is an entry of the log before it leaves.

    `location` names the export, to ask how far it is and to go on with it.
    """
    return await stream(await services.exports.export(principal, body.order(principal.tenant)))


@routes.get(
    "/v1/exports/raw",
    response_class=StreamingResponse,
    responses={200: {"content": {raw_blocks.MEDIA_TYPE: {}}}, **documents(403)},
    summary="The log as it is kept, for a mirror",
)
async def raw(
    services: Guarded,
    principal: Exporter,
    start: Annotated[int, Query(ge=0, le=MAX_INDEX)] = 0,
    end: Annotated[int | None, Query(ge=0, le=MAX_INDEX, description="Absent: all.")] = None,
) -> Response:
    """Leaves and sealed parts of entries [start, end), in blocks; nothing is opened."""
    pieces = await services.exports.raw(principal, start, end)
    headers = {"content-disposition": 'attachment; filename="access-log.raw"'}
    return await sent(pieces, headers, raw_blocks.MEDIA_TYPE)


@routes.get("/v1/exports/{job}", responses=documents(403, 404), summary="How far an export is")
async def progress(job: Job, services: Guarded, principal: Exporter) -> ExportJobOut:
    """How much of a file has left; its own requester may ask."""
    return ExportJobOut.of(await services.exports.progress(principal, job))


@routes.get(
    "/v1/exports/{job}/file",
    response_class=StreamingResponse,
    responses={**_FILE, **documents(403, 404, 409)},
    summary="Go on with an export that broke off",
)
async def resume(
    job: Job,
    services: Guarded,
    principal: Exporter,
    received: Annotated[
        int, Query(ge=0, le=MAX_INDEX, description="How many octets have arrived.")
    ] = 0,
) -> Response:
    """The rest of a file, from the last boundary of a chunk before what has arrived.

    `export-offset` says where that is: cut the file off there, then append.
    """
    return await stream(await services.exports.resume(principal, job, received))


@routes.get(
    "/v1/exports/{digest}/manifest",
    response_class=PlainTextResponse,
    responses=documents(403, 404),
    summary="The signed manifest of an exported file",
)
async def manifest(
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    services: Guarded,
    principal: Exporter,
) -> Response:
    """What is in the file of this SHA-256: the tree it was taken from, the filter, the counts."""
    content = await services.exports.manifest(principal, digest)
    return Response(content, media_type="text/plain; charset=utf-8")


async def stream(download: Download) -> StreamingResponse:
    """Send a file."""
    described = FORMATS[download.format]
    headers = {
        "content-disposition": f'attachment; filename="access-log.{described.suffix}"',
        "location": f"/v1/exports/{download.job}",
        OFFSET: str(download.offset),
    }
    return await sent(download.pieces, headers, described.media_type)


async def sent(
    pieces: AsyncIterator[bytes], headers: dict[str, str], media_type: str
) -> StreamingResponse:
    """Send pieces.

    The first is awaited before the answer begins, so that a refusal is a problem document and not a
    file that breaks off.
    """
    first = await anext(pieces, b"")

    async def all_pieces() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(all_pieces(), headers=headers, media_type=media_type)
