"""Is it alive, is it ready, how is it doing. Open, because it says nothing about anybody."""

import asyncio

from starlette.responses import JSONResponse, Response

from api.metrics import CONTENT_TYPE
from api.middleware import router
from api.routers.dependencies import Guarded, documents
from guard.errors import StoreUnavailableError

routes = router("health")


@routes.get("/livez", response_class=Response, summary="The process answers")
async def livez() -> Response:
    """Answer without touching anything else: a restart would not help a hung disk."""
    return JSONResponse({"status": "alive"})


@routes.get(
    "/readyz", response_class=Response, responses=documents(503), summary="A view would work now"
)
async def readyz(services: Guarded) -> Response:
    """Answer 200 if the store would take a write now, else a 503 problem."""
    check = asyncio.create_task(asyncio.to_thread(services.store.check))
    await asyncio.wait([check], timeout=services.settings.read_deadline_s)
    if not check.done():
        raise StoreUnavailableError("the store does not answer")
    check.result()
    return JSONResponse({"status": "ready"})


@routes.get("/metrics", response_class=Response, summary="Prometheus metrics")
async def metrics(services: Guarded) -> Response:
    """Counters without anybody in them."""
    return Response(services.metrics.expose(), media_type=CONTENT_TYPE)
