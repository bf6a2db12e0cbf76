from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.places import log_dir
from guard.ledger.tiles import TileEdge, TileFolder
from tests.unit.api.fakes import World


@pytest.fixture
def folder(world: World) -> Path:
    edge, tiles = TileEdge(), TileFolder(log_dir(world.settings))
    for n in range(300):
        tiles.write(edge.append(b"%d" % n))
    tiles.write(edge.partials())
    tiles.publish(b"the checkpoint\n")
    anchors = tiles.path / "anchors"
    anchors.mkdir()
    (anchors / "300.tsr").write_bytes(b"token")
    (anchors / "300.checkpoint").write_bytes(b"the checkpoint\n")
    (tiles.path / "writers").mkdir()
    (tiles.path / "writers" / WRITER).write_bytes(b"a note\n")
    return tiles.path


@pytest.fixture
def public(world: World) -> Iterator[TestClient]:
    world.settings = world.settings.model_copy(update={"public_log": True})
    with TestClient(create_app(world, wall=world.clock.now)) as client:
        yield client


WRITER = "0" * 16
FILES = {
    "checkpoint": "text/plain; charset=utf-8",
    "tile/0/000": "application/octet-stream",
    "tile/0/001.p/44": "application/octet-stream",
    "tile/1/000.p/1": "application/octet-stream",
    "tile/entries/000": "application/octet-stream",
    "anchors/300.tsr": "application/timestamp-reply",
    "anchors/300.checkpoint": "text/plain; charset=utf-8",
    f"writers/{WRITER}": "text/plain; charset=utf-8",
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_served_as_they_are(folder: Path, public: TestClient, name: str) -> None:
    answer = public.get(f"/log/{name}")
    assert answer.status_code == 200
    assert answer.content == (folder / name).read_bytes()
    assert answer.headers["content-type"] == FILES[name]
    kept = answer.headers["cache-control"]
    assert kept == ("no-cache" if name == "checkpoint" else "public, max-age=31536000, immutable")
    again = public.get(f"/log/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert public.get(f"/log/{name}", headers={"if-none-match": '"else"'}).status_code == 200


def test_without_the_operators_word_a_scope_is_needed(
    folder: Path, world: World, client: TestClient
) -> None:
    assert folder.is_dir()
    assert client.get("/log/checkpoint").status_code == 401
    assert client.get("/log/tile/0/000", headers=world.bearer("u17")).status_code == 200
    answer = client.get("/log/anchors/300.tsr", headers=world.bearer("u17"))
    assert answer.headers["cache-control"].startswith("private")


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/001",
        "tile/0/000.p/7",
        "tile/1/000",
        "tile/5/000",
        "anchors/301.tsr",
    ],
)
def test_what_is_not_published_is_not_found(folder: Path, public: TestClient, name: str) -> None:
    assert folder.is_dir()
    answer = public.get(f"/log/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "name",
    [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/%2e%2e/%2e%2e/checkpoint",
        "tile/entries/..%2f..%2f..%2fhigh-water",
        "anchors/..%2fcheckpoint",
        "anchors/1.pem",
        "anchors/01.tsr",
    ],
)
def test_no_other_name_reaches_the_disk(folder: Path, public: TestClient, name: str) -> None:
    assert folder.is_dir()
    assert public.get(f"/log/{name}").status_code in {404, 422}


def test_a_log_that_is_not_published_yet_is_not_found(public: TestClient) -> None:
    assert public.get("/log/checkpoint").status_code == 404
