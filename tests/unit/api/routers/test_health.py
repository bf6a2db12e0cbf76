import asyncio
import threading

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.routers.health import GOOD_FOR_S, Readiness
from api.settings import Settings
from guard.errors import StoreUnavailableError
from tests.unit.api.fakes import World


def test_alive_does_not_ask_the_store(world: World, client: TestClient) -> None:
    world.store.failure = StoreUnavailableError("the disk is full")
    assert client.get("/livez").json() == {"status": "alive"}


def test_ready_when_the_store_works(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}


def test_what_will_keep_views_from_working_is_a_warning(world: World, client: TestClient) -> None:
    world.store.warned = ("the tree is behind what is durable",)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["warnings"] == ["the tree is behind what is durable"]


def test_a_store_that_fails_is_not_ready(world: World, client: TestClient) -> None:
    world.store.failure = StoreUnavailableError("the disk is full at /secret/place")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "/secret/place" not in answer.text
    world.store.failure = None
    assert client.get("/readyz").status_code == 200


@pytest.mark.anyio
async def test_a_good_answer_holds_for_a_second_and_no_longer(world: World) -> None:
    times = [10.0]
    readiness = Readiness(world, now=lambda: times[0])
    await readiness.require()
    world.store.failure = StoreUnavailableError("the disk is full")
    times[0] += GOOD_FOR_S * 0.99
    await readiness.require()
    times[0] += GOOD_FOR_S * 0.01
    with pytest.raises(StoreUnavailableError):
        await readiness.require()


@pytest.mark.anyio
async def test_however_many_ask_the_store_is_looked_at_once(world: World) -> None:
    counted = CountedStore()
    world.store = counted  # type: ignore[assignment] # another fake of the same protocol
    readiness = Readiness(world)
    await asyncio.gather(*(readiness.require() for _ in range(64)))
    assert counted.looks == 1


class CountedStore:
    looks = 0

    def check(self) -> None:
        self.looks += 1


class HungStore:
    def __init__(self) -> None:
        self.freed = threading.Event()

    def check(self) -> None:
        self.freed.wait(5)


def test_a_hung_store_is_not_ready_and_does_not_hang_the_answer(world: World) -> None:
    hung = HungStore()
    world.store = hung  # type: ignore[assignment] # another fake of the same protocol
    world.settings = Settings(data_dir=world.data_dir, read_deadline_s=0.01)
    with TestClient(create_app(world)) as client:
        answer = client.get("/readyz")
        hung.freed.set()
    assert answer.status_code == 503


def test_metrics_are_open_and_name_nobody(world: World, client: TestClient) -> None:
    client.get("/v1/quota", headers=world.bearer("u17"))
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "recordguard_http_requests_total" in answer.text
    assert "u17" not in answer.text
