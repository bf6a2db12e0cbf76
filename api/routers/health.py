"""Is it alive, is it ready, how is it doing. Open, because it says nothing about anybody."""

import asyncio
from collections.abc import Callable

from fastapi import Request
from starlette.responses import JSONResponse, Response

from api.metrics import CONTENT_TYPE
from api.middleware import router
from api.ports import Services
from api.routers.dependencies import Guarded, documents
from guard.clock import monotonic
from guard.errors import StoreUnavailableError

routes = router("health")
# Anybody may ask, and looking takes the writer's lock: a good answer holds for this long.
GOOD_FOR_S = 1.0


class Readiness:
    """Looks at the services, once at a time however many ask."""

    def __init__(self, services: Services, *, now: Callable[[], float] = monotonic) -> None:
        """Look at `services`; `now` tells real seconds."""
        self._services, self._now = services, now
        self._look: asyncio.Task[None] | None = None
        self._good_until = now()

    async def require(self) -> None:
        """Return if a view would work now, or would have within the last second.

        Raises:
            StoreUnavailableError: It would not, or looking takes too long.
        """
        if self._now() < self._good_until:
            return
        look = self._look
        if look is None or look.done():
            look = self._look = asyncio.create_task(asyncio.to_thread(self._services.check))
        await asyncio.wait([look], timeout=self._services.settings.read_deadline_s)
        if not look.done():
            raise StoreUnavailableError("the store does not answer")
        look.result()
        self._good_until = self._now() + GOOD_FOR_S

    def warnings(self) -> list[str]:
        """What the services warn of."""
        return list(self._services.warnings())


@routes.get("/livez", response_class=Response, summary="The process answers")
async def livez() -> Response:
    """Answer without touching anything else: a restart would not help a hung disk."""
    return JSONResponse({"status": "alive"})


@routes.get(
    "/readyz", response_class=Response, responses=documents(503), summary="A view would work now"
)
async def readyz(request: Request) -> Response:
    """Answer 200 if a view would be logged now, else a 503 problem; at most a second old.

    `warnings` says what will keep views from working if it goes on.
    """
    readiness: Readiness = request.app.state.readiness
    await readiness.require()
    warnings = readiness.warnings()
    return JSONResponse({"status": "ready"} | ({"warnings": warnings} if warnings else {}))


@routes.get("/metrics", response_class=Response, summary="Prometheus metrics")
async def metrics(services: Guarded) -> Response:
    """Counters without anybody in them."""
    return Response(services.metrics.expose(), media_type=CONTENT_TYPE)
