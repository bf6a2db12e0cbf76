import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from api.metrics import Metrics
from api.sinks import Sinks, open_sinks
from guard.errors import ConfigurationError, StoreUnavailableError
from guard.sinks import DeclaredSink, Pushed, Pusher, declared_sinks

pytestmark = pytest.mark.anyio


@dataclass
class Turns:
    """Stands in for what pushes one sink."""

    declared: DeclaredSink
    turns: list[Pushed | Exception] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def push_once(self) -> Pushed:
        turn = self.turns.pop(0)
        if not self.turns:
            self.turns.append(turn)
            self.done.set()
        if isinstance(turn, Exception):
            raise turn
        return turn


def declared(folder: Path) -> DeclaredSink:
    text = f'[[sink]]\nname = "f"\ntenant = "t"\nkind = "ndjson_file"\npath = "{folder / "log"}"\n'
    (one,) = declared_sinks(text.encode(), "f", secrets={})
    return one


async def ran(folder: Path, *turns: Pushed | Exception) -> tuple[Sinks, Metrics]:
    made: list[Turns] = []

    def pusher(one: DeclaredSink) -> Pusher:
        made.append(Turns(one, list(turns)))
        return cast("Pusher", made[-1])

    sinks, metrics = Sinks([declared(folder)], pusher), Metrics()
    tasks = sinks.start(metrics)
    await asyncio.wait_for(made[0].done.wait(), 20)
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await sinks.close()
    return sinks, metrics


async def test_a_sink_that_is_behind_is_a_metric_and_a_remark(tmp_path: Path) -> None:
    sinks, metrics = await ran(
        tmp_path, Pushed(taken=5, behind=9, failures=0), Pushed(taken=0, behind=7, failures=2)
    )
    assert sinks.remarks() == ["1 of 1 sinks are behind"]
    assert b'recordguard_sink_behind_entries{sink="f"} 7.0' in metrics.expose()
    assert b'recordguard_sink_failures{sink="f"} 2.0' in metrics.expose()


async def test_a_sink_that_keeps_up_is_no_remark(tmp_path: Path) -> None:
    sinks, _ = await ran(tmp_path, Pushed(taken=1, behind=0, failures=0))
    assert sinks.remarks() == []


async def test_a_turn_that_fails_is_logged_and_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.sinks.INTERVAL_S", 0)
    with capture_logs() as logs:
        await ran(tmp_path, StoreUnavailableError("x"), Pushed(taken=0, behind=0, failures=0))
    assert logs[0]["event"] == "sink.failed"


def test_the_operators_file_is_read_or_named(tmp_path: Path) -> None:
    assert open_sinks(None, {}) == ()
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        open_sinks(tmp_path / "none.toml", {})
    file = tmp_path / "sinks.toml"
    file.write_text("")
    assert open_sinks(file, {}) == ()
