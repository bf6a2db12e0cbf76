"""The published log as files (C2SP tlog-tiles): checkpoint, tiles, bundles, anchors.

They are read from the log's folder and never from the database, as a web server would that is
pointed at the same folder. They hold no personal data; who may read them is the operator's choice:
`public_log` opens them to anybody, otherwise the scope `log:verify` is asked for.
"""

import asyncio
import re
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi import Path as PathParam
from fastapi.security import HTTPAuthorizationCredentials
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.places import log_dir
from api.routers.dependencies import Guarded, authenticated, bearer, documents
from guard.errors import NotFoundError
from guard.ledger.tiles import CHECKPOINT

routes = router("log")
TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
TOKEN = "application/timestamp-reply"  # noqa: S105 - a media type
# What never changes may be kept; by whom depends on who may read it.
LONG = "max-age=31536000, immutable"
# Exactly the names that the log writes: no dot can leave the folder.
TILE = (
    r"^(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/){0,6}[0-9]{3}"
    r"(\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$"
)
WRITER = r"^[0-9a-f]{16}$"
ANCHOR = r"^(0|[1-9][0-9]{0,18})\.(tsr|checkpoint)$"
_TAGS = re.compile(r'(?:W/)?"([^"]*)"')


async def _reader(
    request: Request,
    services: Guarded,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> None:
    """Anybody, where the operator says so; else who may verify the log."""
    if not services.settings.public_log:
        await authenticated(request, Scope.LOG_VERIFY.value)


READER = [Depends(_reader)]
_PROBLEMS = documents(401, 403, 404)


@routes.get(
    "/log/checkpoint",
    dependencies=READER,
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **_PROBLEMS},
    summary="The newest published checkpoint",
)
async def checkpoint(services: Guarded, request: Request) -> Response:
    """The file as outsiders see it: signed, and cosigned where witnesses are asked."""
    return await _file(services, request, CHECKPOINT, TEXT)


@routes.get(
    "/log/tile/{tile:path}",
    dependencies=READER,
    response_class=Response,
    responses={200: {"content": {OCTETS: {}}}, **_PROBLEMS},
    summary="A tile of hashes, or a bundle of entries",
)
async def tile(
    tile: Annotated[
        str,
        PathParam(pattern=TILE, description="`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`."),
    ],
    services: Guarded,
    request: Request,
) -> Response:
    """Up to 256 hashes of one level, or as many entries. It never changes."""
    return await _file(services, request, f"tile/{tile}", OCTETS)


@routes.get(
    "/log/anchors/{anchor}",
    dependencies=READER,
    response_class=Response,
    responses={200: {"content": {TOKEN: {}, "text/plain": {}}}, **_PROBLEMS},
    summary="A time stamp, or the checkpoint it is for",
)
async def anchor(
    anchor: Annotated[
        str, PathParam(pattern=ANCHOR, description="`<size>.tsr` or `<size>.checkpoint`.")
    ],
    services: Guarded,
    request: Request,
) -> Response:
    """An RFC 3161 token over the checkpoint of that size, and that checkpoint as it was stamped."""
    kind = TOKEN if anchor.endswith(".tsr") else TEXT
    return await _file(services, request, f"anchors/{anchor}", kind)


@routes.get(
    "/log/writers/{writer}",
    dependencies=READER,
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **_PROBLEMS},
    summary="Which key signs a writer's receipts",
)
async def writer(
    writer: Annotated[str, PathParam(pattern=WRITER, description="As a receipt names it.")],
    services: Guarded,
    request: Request,
) -> Response:
    """A note signed with the key of the exports: a receipt holds by it, without the log."""
    return await _file(services, request, f"writers/{writer}", TEXT)


async def _file(services: Guarded, request: Request, name: str, kind: str) -> Response:
    content = await asyncio.to_thread(_read, log_dir(services.settings) / name)
    if content is None:
        raise NotFoundError("that file is not published: read the checkpoint for the log's size")
    tag = sha256(content).hexdigest()[:32]
    audience = "public" if services.settings.public_log else "private"
    headers = {
        "etag": f'"{tag}"',
        "cache-control": "no-cache" if name == CHECKPOINT else f"{audience}, {LONG}",
    }
    if tag in _TAGS.findall(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers | {"content-type": kind})


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
