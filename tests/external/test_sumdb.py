"""A log of ours, judged by Go's own code for such logs; skipped where that cannot be had.

`tests/external/install` fetches the tools without root.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.ledger.merkle import CompactRange, leaf_hash
from guard.ledger.note import NoteSigner
from guard.ledger.proofs import Proofs
from guard.ledger.publisher import Publisher
from guard.ledger.tiles import TileFolder
from tests.unit.guard.ledger.logview import LogView
from tests.unit.guard.ledger.makers import NOW, LogMaker

HERE = Path(__file__).parent
FETCHED = HERE.parent.parent / ".venv" / "external"
SIZE = 70_000
PLACES = range(0, SIZE, 1_009)
SIZES = (1, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, SIZE)
ORIGIN = "example.com/guarded"
Case = dict[str, object]


def tools() -> tuple[str, Path] | None:
    """Where Go is, and the tree that its log code is in."""
    beside = FETCHED / "python" / "bin" / "go"
    go = str(beside) if beside.exists() else shutil.which("go")
    for place in (FETCHED / "usr" / "share" / "gocode", Path("/usr/share/gocode")):
        if go is not None and (place / "src/golang.org/x/mod/sumdb/tlog").is_dir():
            return go, place
    return None


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built."""
    found = tools()
    if found is None:
        pytest.skip("run tests/external/install to compare with Go's own code")
    go, place = found
    target = tmp_path_factory.mktemp("go") / "check"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(place),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOCACHE": str(FETCHED / "cache" if FETCHED.is_dir() else target.parent / "cache"),
    }
    subprocess.run(  # noqa: S603 - our own program
        [go, "build", "-o", str(target), str(HERE / "go" / "check.go")], check=True, env=environment
    )
    return target


@pytest.fixture(scope="module")
def signer() -> NoteSigner:
    return NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, signer: NoteSigner) -> Path:
    """A published log, signed at many sizes as it grew."""
    folder = tmp_path_factory.mktemp("published")
    log = LogMaker(folder)
    publisher = Publisher(signer, log_dir=folder / "log", high_water=folder / "high-water")
    store = LogView(log.entries)
    for size in SIZES:
        log.grow(size)
        while (signed := publisher.prepare(store.view())) is None:
            pass
        store.put_checkpoint(signed.size, signed.root, signed.note, NOW)
        publisher.finish(signed)
    return folder / "log"


def flipped(one: bytes) -> bytes:
    return bytes([one[0] ^ 1]) + one[1:]


def roots(folder: Path) -> dict[int, bytes]:
    """Roots of the log at earlier sizes."""
    tree, found, tiles = CompactRange(), dict[int, bytes](), TileFolder(folder)
    for bundle in range(-(-SIZE // 256)):
        for leaf in tiles.leaves(bundle, min(256, SIZE - bundle * 256)):
            tree.append(leaf_hash(leaf))
            if tree.size % 997 == 1:
                found[tree.size] = tree.root()
    return found


def cases(folder: Path, leaves: dict[int, bytes]) -> Iterator[Case]:
    """Proofs that we make, and the same broken."""
    proofs = Proofs(folder)
    root = proofs.root(SIZE).hex()
    for index, leaf in leaves.items():
        path = proofs.inclusion(index, SIZE)
        one = {"index": index, "new": SIZE, "root": root, "leaf": leaf_hash(leaf).hex()}
        yield one | {"what": f"leaf {index}", "good": True, "proof": [h.hex() for h in path]}
        broken = {
            "first hash flipped": [flipped(path[0]), *path[1:]],
            "last hash flipped": [*path[:-1], flipped(path[-1])],
            "a hash missing": path[:-1],
            "a hash too many": [*path, path[0]],
        }
        for what, hashes in broken.items():
            yield one | {"what": what, "good": False, "proof": [h.hex() for h in hashes]}
        moved = one | {"index": index ^ 1, "proof": [h.hex() for h in path]}
        yield moved | {"what": "another index", "good": False}
    for old, before in roots(folder).items():
        path = proofs.consistency(old, SIZE)
        two = {"old": old, "new": SIZE, "old_root": before.hex(), "root": root}
        yield two | {"what": f"from {old}", "good": True, "proof": [h.hex() for h in path]}
        wrong = {
            "first hash flipped": [flipped(path[0]), *path[1:]],
            "a hash missing": path[:-1],
            "a hash too many": [*path, path[0]],
        }
        for what, hashes in wrong.items():
            yield two | {"what": what, "good": False, "proof": [h.hex() for h in hashes]}


def run(checker: Path, folder: Path, vkey: str, proofs: Path) -> subprocess.CompletedProcess[str]:
    words = [str(checker), str(folder), vkey, str(proofs)]
    return subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def test_gos_code_accepts_a_log_of_70_000_entries(
    checker: Path, published: Path, signer: NoteSigner, tmp_path: Path
) -> None:
    folder = TileFolder(published)
    leaves = {n: folder.leaves(n // 256, min(256, SIZE - n // 256 * 256))[n % 256] for n in PLACES}
    proofs = tmp_path / "proofs.json"
    given = list(cases(published, leaves))
    proofs.write_text(json.dumps(given))
    good = sum(bool(one["good"]) for one in given)
    found = run(checker, published, signer.vkey, proofs)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith(f"accepted {SIZE} entries")
    assert f"{good} proofs good and {len(given) - good} bad" in found.stdout


@pytest.mark.parametrize("name", ["tile/entries/100", "tile/0/200", "tile/1/000", "checkpoint"])
def test_gos_code_refuses_the_same_log_with_a_bit_flipped(
    checker: Path, published: Path, signer: NoteSigner, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "log"
    shutil.copytree(published, copy)
    content = bytearray((copy / name).read_bytes())
    content[40] ^= 1
    (copy / name).write_bytes(content)
    (tmp_path / "none.json").write_text("[]")
    assert run(checker, copy, signer.vkey, tmp_path / "none.json").returncode == 1
