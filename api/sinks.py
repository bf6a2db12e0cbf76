"""Live push beside the requests: one task for each sink, its lag as a metric and a remark.

Nothing here is on the path of a request; a sink that hangs holds up itself alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from api.metrics import Metrics
from guard.errors import ConfigurationError
from guard.sinks import DeclaredSink, Pushed, Pusher, declared_sinks

log = structlog.get_logger(__name__)

# A sink that keeps up is asked this often; the read is one small statement.
INTERVAL_S = 0.25
# Further behind than this it does not keep up, though it takes what it is given.
BEHIND = 10_000


class Sinks:
    """All sinks of this process."""

    def __init__(
        self, declared: Sequence[DeclaredSink], pusher: Callable[[DeclaredSink], Pusher]
    ) -> None:
        """Push what was declared; `pusher` makes what pushes one sink."""
        self._pushers = [pusher(one) for one in declared]
        self._turns: dict[str, Pushed] = {}

    def start(self, metrics: Metrics) -> list[asyncio.Task[None]]:
        """Begin to push every sink; the tasks end when they are cancelled."""
        return [
            asyncio.create_task(self._push(one, metrics), name=f"sink {one.declared.name}")
            for one in self._pushers
        ]

    async def _push(self, pusher: Pusher, metrics: Metrics) -> None:
        name = pusher.declared.name

        async def once() -> None:
            turn = await pusher.push_once()
            while turn.taken and not turn.failures and turn.behind:
                self._tell(name, turn, metrics)
                turn = await pusher.push_once()
            self._tell(name, turn, metrics)

        while True:
            try:
                await once()
            except Exception as error:  # noqa: BLE001 - not swallowed: logged, and tried again
                # The store, a key or an entry that does not hold: nothing is skipped.
                log.warning("sink.failed", error=type(error).__name__)
            await asyncio.sleep(INTERVAL_S)

    def _tell(self, name: str, turn: Pushed, metrics: Metrics) -> None:
        self._turns[name] = turn
        metrics.sink_behind.labels(name).set(turn.behind)
        metrics.sink_failures.labels(name).set(turn.failures)

    def remarks(self) -> list[str]:
        """What an operator should know although views work; no sink is named."""
        late = [t for t in self._turns.values() if t.failures or t.behind > BEHIND]
        return [f"{len(late)} of {len(self._pushers)} sinks are behind"] if late else []

    async def close(self) -> None:
        """Give back connections."""
        for pusher in self._pushers:
            await pusher.declared.sink.close()


def open_sinks(file: Path | None, secrets: dict[str, str]) -> tuple[DeclaredSink, ...]:
    """What the operator's file declares; None: nothing.

    Raises:
        ConfigurationError: It cannot be read or used; names file and line.
    """
    if file is None:
        return ()
    try:
        document = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"sinks file {file}: {error.strerror}") from None
    return declared_sinks(document, str(file), secrets=secrets)
