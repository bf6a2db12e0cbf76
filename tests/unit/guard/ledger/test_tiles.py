from pathlib import Path
from shutil import rmtree

import pytest

from guard.durable import replace_file
from guard.errors import ProofError, StoreUnavailableError
from guard.ledger import merkle, tiles
from guard.ledger.tiles import (
    ENTRIES,
    MAX_LEAF,
    FolderBlobs,
    TileEdge,
    TileFolder,
    pack_bundle,
    tile_path,
    unpack_bundle,
)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (1, 999, 256, "tile/1/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (2, 1234067, 256, "tile/2/x001/x234/067"),
        (ENTRIES, 1234067, 255, "tile/entries/x001/x234/067.p/255"),
        (63, 10**9, 256, "tile/63/x001/x000/x000/000"),
    ],
)
def test_paths_are_those_of_the_standard(
    level: int | str, index: int, width: int, path: str
) -> None:
    assert tile_path(level, index, width) == path


def test_the_files_of_seventy_thousand_entries_are_those_of_the_standard() -> None:
    edge, full = TileEdge(), dict[object, int]()
    for n in range(70_000):
        for file in edge.append(n.to_bytes(4, "big")):
            assert file.width == 256
            full[file.level] = full.get(file.level, 0) + 1
    partial = {file.level: (file.index, file.width) for file in edge.partials()}
    assert full == {ENTRIES: 273, 0: 273, 1: 1}
    assert partial == {ENTRIES: (273, 112), 0: (273, 112), 1: (1, 17), 2: (0, 1)}
    leaves = (merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(70_000))
    assert edge.root() == merkle.tree_root(leaves)


def test_two_hundred_and_fifty_six_entries_are_one_tile_and_a_partial_one_above() -> None:
    edge = TileEdge()
    files = [file.path for n in range(256) for file in edge.append(bytes([n]))]
    assert files == ["tile/entries/000", "tile/0/000"]
    assert [file.path for file in edge.partials()] == ["tile/1/000.p/1"]
    assert edge.root() == edge.partials()[0].content


def _publish(folder: TileFolder, sizes: list[int]) -> list[bytes]:
    edge, leaves, roots = TileEdge(), [b"%d" % n for n in range(max(sizes))], []
    for size in sizes:
        for leaf in leaves[edge.size : size]:
            folder.write(edge.append(leaf))
        folder.write(edge.partials())
        roots.append(edge.root())
    return roots


def test_an_edge_is_read_back_at_every_published_size(tmp_path: Path) -> None:
    folder, sizes = TileFolder(tmp_path), [0, 1, 2, 255, 256, 257, 300, 511, 512, 600]
    roots = _publish(folder, sizes)
    for size, root in zip(sizes, roots, strict=True):
        edge = folder.edge(size)
        assert edge.root() == root
        for n in range(size, 600):
            edge.append(b"%d" % n)
        assert edge.root() == roots[-1]


def test_partial_tiles_go_when_the_full_one_is_there(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    _publish(folder, [3, 5])
    assert (tmp_path / "tile/0/000.p/3").exists()
    assert (tmp_path / "tile/0/000.p/5").exists()
    _publish(folder, [256])
    assert not (tmp_path / "tile/0/000.p").exists()
    assert folder.leaves(0, 5) == [b"%d" % n for n in range(5)]


def test_a_folder_that_another_publisher_sweeps_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FolderBlobs(tmp_path)

    def swept(path: Path, content: bytes, mode: int) -> None:
        rmtree(path.parent)
        replace_file(path, content, mode)

    with monkeypatch.context() as patch:
        patch.setattr(tiles, "replace_file", swept)
        with pytest.raises(StoreUnavailableError, match="another publisher"):
            blobs.put("tile/0/000.p/5", b"part")
    blobs.put("tile/0/000.p/5", b"part")
    assert blobs.get("tile/0/000.p/5") == b"part"


def test_proofs_from_files_verify(tmp_path: Path) -> None:
    folder, sizes = TileFolder(tmp_path), [1, 7, 255, 256, 257, 513, 700]
    roots = dict(zip(sizes, _publish(folder, sizes), strict=True))
    for size in sizes:
        for index in {0, 1, 6, 200, 255, 256, 512, size - 1} & set(range(size)):
            proof = merkle.inclusion_proof(index, size, folder.nodes(size))
            leaf = merkle.leaf_hash(b"%d" % index)
            merkle.verify_inclusion(index, size, leaf, proof, roots[size])
        for old in (one for one in sizes if one <= size):
            proof = merkle.consistency_proof(old, size, folder.nodes(size))
            merkle.verify_consistency(old, size, proof, roots[old], roots[size])


def test_missing_and_short_files_are_refused(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    _publish(folder, [300])
    tile, bundle = tmp_path / "tile/0/001.p/44", tmp_path / "tile/entries/001.p/44"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1])
    with pytest.raises(ProofError, match="cut short"):
        folder.edge(300)
    tile.unlink()
    with pytest.raises(ProofError, match="missing"):
        folder.edge(300)
    tile.write_bytes(whole)
    bundle.write_bytes(bundle.read_bytes()[:-5])
    with pytest.raises(ProofError, match="cut short"):
        folder.leaves(1, 44)
    bundle.write_bytes(pack_bundle([b"x"]))
    with pytest.raises(ProofError, match="cut short"):
        folder.leaves(1, 44)
    bundle.unlink()
    bundle.mkdir()
    with pytest.raises(ProofError, match="cannot be read"):
        folder.leaves(1, 44)


def test_bundles_round_trip_and_bad_ones_are_refused() -> None:
    leaves = [b"", b"a", b"x" * MAX_LEAF]
    packed = pack_bundle(leaves)
    assert list(unpack_bundle(packed)) == leaves
    for count in (40, 256, 257):
        alike = [b"%03d" % n for n in range(count)]
        assert unpack_bundle(pack_bundle(alike)) == alike
    assert unpack_bundle(b"") == []
    for content in (b"\x00", b"\x00\x01", packed[:-1], packed + b"\x00", b"\xff\xff"):
        with pytest.raises(ProofError):
            list(unpack_bundle(content))


def test_a_leaf_that_no_bundle_holds_is_refused() -> None:
    edge = TileEdge()
    with pytest.raises(ProofError):
        edge.extend([b"x", b"x" * (MAX_LEAF + 1)])
    assert (edge.size, edge.extend([])) == (0, [])


@pytest.mark.parametrize("step", [1, 100, 256, 300, 700])
def test_leaves_make_the_same_files_however_many_are_added_at_once(step: int) -> None:
    leaves, edge = [b"%d" % n for n in range(700)], TileEdge()
    files = [file for at in range(0, 700, step) for file in edge.extend(leaves[at : at + step])]
    assert [file.path for file in files] == [
        "tile/entries/000", "tile/0/000", "tile/entries/001", "tile/0/001",
    ]  # fmt: skip
    assert b"".join(file.content for file in files[::2]) == pack_bundle(leaves[:512])
    assert [(file.path, file.width) for file in edge.partials()] == [
        ("tile/entries/002.p/188", 188),
        ("tile/0/002.p/188", 188),
        ("tile/1/000.p/2", 2),
    ]
    assert edge.root() == merkle.tree_root(map(merkle.leaf_hash, leaves))


def test_a_copy_of_an_edge_grows_on_its_own() -> None:
    edge = TileEdge()
    edge.append(b"a")
    other = edge.copy()
    other.append(b"b")
    assert (edge.size, other.size) == (1, 2)
    assert edge.root() == merkle.leaf_hash(b"a")
    assert len(edge.leaves) == 1


def test_a_published_checkpoint_replaces_the_last(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path / "log")
    folder.publish(b"one")
    folder.publish(b"two")
    assert folder.checkpoint.read_bytes() == b"two"
    assert folder.checkpoint == tmp_path / "log" / "checkpoint"


class MemoryBlobs:
    """What an object store does: names and contents, and no folders."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        self.held[name] = content

    def get(self, name: str) -> bytes | None:
        return self.held.get(name)

    def remove_below(self, name: str) -> None:
        self.held = {k: v for k, v in self.held.items() if not k.startswith(name + "/")}


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_blobs_hold_what_a_folder_holds(tmp_path: Path, kind: str) -> None:
    blobs = FolderBlobs(tmp_path / "other") if kind == "folder" else MemoryBlobs()
    folder, stored, edge = TileFolder(tmp_path / "log"), TileFolder(tmp_path, blobs), TileEdge()
    for n in range(600):
        files = edge.append(b"%d" % n)
        files += edge.partials() if edge.size in {1, 200, 300, 600} else []
        for one in (folder, stored):
            one.write(files)
    folder.publish(b"note")
    stored.publish(b"note")
    written = {
        path.relative_to(tmp_path / "log").as_posix(): path.read_bytes()
        for path in (tmp_path / "log").rglob("*")
        if path.is_file()
    }
    assert written
    assert {name: blobs.get(name) for name in written} == written
    assert blobs.get("tile/0/000.p/200") is None
    assert stored.edge(600).root() == edge.root()
    with pytest.raises(ProofError, match="is missing"):
        stored.read(0, 9, 256)


def test_a_file_that_cannot_be_read_is_no_file_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    with pytest.raises(ProofError, match="check the disk"):
        FolderBlobs(tmp_path).get("name")
