"""Evidence: a part of the log that anybody outside can check offline."""

from typing import Annotated

from starlette.responses import Response, StreamingResponse

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Guarded, caller, documents
from api.routers.exports import sent
from api.schemas.evidence import EvidenceBody
from guard.principals import Principal

routes = router("evidence")
MEDIA_TYPE = "application/zip"
_HEADERS = {"content-disposition": 'attachment; filename="evidence.zip"'}


@routes.post(
    "/v1/evidence",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **documents(403, 404, 409)},
    summary="Take a part of the log out as evidence",
)
async def evidence(
    body: EvidenceBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.EXPORTS_WRITE)],
) -> Response:
    """A zip file that proves itself, sent in pieces; each is an entry of the log before it leaves.

    `guard verify-bundle`, or the file `verify.py` in it, checks it with the log's key and the
    exporter's. One that breaks off has no manifest and opens nowhere.
    """
    pieces = await services.evidence.make(principal, body.question())
    return await sent(pieces, _HEADERS, MEDIA_TYPE)
