"""The log as immutable files (C2SP tlog-tiles v0.1.0).

A tile holds up to 256 hashes of one level, a bundle up to 256 leaves behind their lengths. The edge
of the tree, the unfinished tile of each level, is all that one must hold to go on writing; it is
read back from the files after a restart. Files hold leaves only, and so no personal data.

Partial tiles stay until their full tile exists, as a published size may need them.

Where the files lie is behind `Blobs`, which asks no more than an object store can give: put, get
and remove under a name. `FolderBlobs` is a folder, which any web server can publish.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import FileIO
from pathlib import Path
from shutil import rmtree
from struct import unpack
from typing import Protocol

from guard.durable import make_folder, replace_file
from guard.errors import ProofError, StoreUnavailableError
from guard.ledger.merkle import (
    HASH_SIZE,
    CompactRange,
    NodeReader,
    leaf_hashes,
    parents,
    tree_root,
)

TILE_WIDTH = 256
TILE_HEIGHT = 8
ENTRIES = "entries"
CHECKPOINT = "checkpoint"

# A leaf stands behind two bytes of length.
MAX_LEAF = 0xFFFF

# Published files are for everybody who can reach the folder.
_PUBLIC_FILE = 0o644
_PUBLIC_FOLDER = 0o755

# 16 KiB each; so proofs of the newest 250,000 entries are made without reading or hashing a tile.
_CACHED_TILES = 1024


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Path of a tile, or of a bundle for the level `entries`, below the log's folder."""
    last = f"{index % 1000:03}"
    while index >= 1000:  # noqa: PLR2004 - three digits a part
        index //= 1000
        last = f"x{index % 1000:03}/{last}"
    return f"tile/{level}/{last}" + ("" if width == TILE_WIDTH else f".p/{width}")


@dataclass(frozen=True, slots=True)
class File:
    """A tile, or a bundle where the level is `entries`."""

    level: int | str
    index: int
    width: int
    content: bytes

    @property
    def path(self) -> str:
        """Where it belongs below the log's folder."""
        return tile_path(self.level, self.index, self.width)


def pack_bundle(leaves: Sequence[bytes]) -> bytes:
    """Leaves behind their lengths, as a bundle holds them."""
    lengths = set(map(len, leaves))
    if len(lengths) == 1:
        # Nearly always: joined with what stands before each.
        before = lengths.pop().to_bytes(2, "big")
        return before + before.join(leaves)
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def unpack_bundle(content: bytes) -> list[bytes]:
    """The leaves of a bundle.

    Raises:
        ProofError: A length points beyond the end.
    """
    # Nearly always all leaves have one length; a look at the places of lengths alone shows it.
    length = int.from_bytes(content[:2], "big")
    count, rest = divmod(len(content), 2 + length)
    if (
        not rest
        and count <= TILE_WIDTH
        and content[:: 2 + length] == content[:1] * count
        and content[1 :: 2 + length] == content[1:2] * count
    ):
        return list(unpack(f"2x{length}s" * count, content))
    leaves, at = [], 0
    while at < len(content):
        start = at + 2
        at = start + int.from_bytes(content[at:start], "big")
        if start > len(content) or at > len(content):
            raise ProofError("entry bundle is cut short, fetch or restore it")
        leaves.append(content[start:at])
    return leaves


class TileEdge:
    """The unfinished tiles and bundle at the right of a tree."""

    def __init__(self) -> None:
        """Start with the empty tree."""
        self.size = 0
        self.levels: list[list[bytes]] = [[]]
        self.leaves: list[bytes] = []

    def copy(self) -> "TileEdge":
        """An edge of the same tree that grows on its own."""
        other = TileEdge()
        other.size = self.size
        other.levels = [list(level) for level in self.levels]
        other.leaves = list(self.leaves)
        return other

    def append(self, leaf: bytes) -> list[File]:
        """Add a leaf; returns the files that are now complete.

        Raises:
            ProofError: The leaf is too long for a bundle.
        """
        return self.extend([leaf])

    def extend(self, leaves: Sequence[bytes]) -> list[File]:
        """Add leaves; returns the files that are now complete.

        Raises:
            ProofError: A leaf is too long for a bundle; none has been added.
        """
        if max(map(len, leaves), default=0) > MAX_LEAF:
            raise ProofError(f"leaf has more than {MAX_LEAF} bytes, no bundle holds it")
        files: list[File] = []
        hashes, at = leaf_hashes(leaves), 0
        while at < len(leaves):
            end = min(at + TILE_WIDTH - len(self.leaves), len(leaves))
            self.leaves += leaves[at:end]
            self.levels[0] += hashes[at:end]
            self.size += end - at
            if len(self.leaves) == TILE_WIDTH:
                files += self._finished()
            at = end
        return files

    def _finished(self) -> list[File]:
        bundle = pack_bundle(self.leaves)
        files = [File(ENTRIES, self.size // TILE_WIDTH - 1, TILE_WIDTH, bundle)]
        self.leaves = []
        level, count = 0, self.size
        while len(self.levels[level]) == TILE_WIDTH:
            count //= TILE_WIDTH
            hashes = self.levels[level]
            files.append(File(level, count - 1, TILE_WIDTH, b"".join(hashes)))
            self.levels[level] = []
            level += 1
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(tree_root(hashes))
        return files

    def partials(self) -> list[File]:
        """The unfinished files at this size."""
        files: list[File] = []
        if self.leaves:
            index, bundle = self.size // TILE_WIDTH, pack_bundle(self.leaves)
            files.append(File(ENTRIES, index, len(self.leaves), bundle))
        for level, hashes in enumerate(self.levels):
            if hashes:
                index = self.size >> TILE_HEIGHT * (level + 1)
                files.append(File(level, index, len(hashes), b"".join(hashes)))
        return files

    def root(self) -> bytes:
        """Root of the tree."""
        hashes: list[bytes] = []
        for level in reversed(self.levels):
            part = CompactRange()
            part.extend(level)
            hashes += part.hashes
        return CompactRange(self.size, hashes).root()


class Blobs(Protocol):
    """*Protocol* of where published files lie; names are paths with slashes."""

    def put(self, name: str, content: bytes) -> None:
        """Put content under a name, in place of any; readers see the old or the new, whole.

        When this returns, the content is durable.
        """
        ...

    def get(self, name: str) -> bytes | None:
        """The content of that name; None: there is none.

        Raises:
            ProofError: It is there and cannot be read.
        """
        ...

    def remove_below(self, name: str) -> None:
        """Remove, sooner or later, what lies below a name."""
        ...


class FolderBlobs:
    """`Blobs` as files below a folder."""

    def __init__(self, path: Path) -> None:
        """Read and write below `path`."""
        self._path = path

    def put(self, name: str, content: bytes) -> None:
        """See `Blobs.put`.

        Raises:
            StoreUnavailableError: Another publisher that shares the folder is further.
        """
        target = self._path / name
        try:
            make_folder(target.parent, _PUBLIC_FOLDER)
            replace_file(target, content, _PUBLIC_FILE)
        except FileNotFoundError:
            # It has finished the tile that this is a part of, and swept the folder of its parts.
            raise StoreUnavailableError("another publisher has written more, follow it") from None

    def get(self, name: str) -> bytes | None:
        """See `Blobs.get`."""
        try:
            # A log is read a file for every 256 entries: a third of what `Path.read_bytes` costs.
            with FileIO(f"{self._path}/{name}") as file:
                return file.readall()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ProofError(f"tile cannot be read ({error.strerror}), check the disk") from None

    def remove_below(self, name: str) -> None:
        """See `Blobs.remove_below`."""
        rmtree(self._path / name, ignore_errors=True)


class TileFolder:
    """The published files of one log."""

    def __init__(self, path: Path, blobs: Blobs | None = None) -> None:
        """Read and write below the folder `path`, or in `blobs`, which errors then call `path`."""
        self.path = path
        self._blobs = FolderBlobs(path) if blobs is None else blobs
        self._subtrees = lru_cache(maxsize=_CACHED_TILES)(self._read_subtrees)

    @property
    def checkpoint(self) -> Path:
        """The file with the newest published checkpoint, where the log is a folder."""
        return self.path / CHECKPOINT

    def published(self) -> bytes | None:
        """The newest published checkpoint; None: there is none yet.

        Raises:
            ProofError: It is there and cannot be read.
        """
        return self._blobs.get(CHECKPOINT)

    def publish(self, note: bytes) -> None:
        """Put a checkpoint in place of the last one, durably."""
        self._blobs.put(CHECKPOINT, note)

    def write(self, files: Iterable[File]) -> None:
        """Write tiles and bundles durably; a full one takes the place of its partial ones."""
        for file in files:
            self._blobs.put(file.path, file.content)
            self._blobs.remove_below(file.path + ".p")

    def read(self, level: int | str, index: int, width: int) -> bytes:
        """A tile or bundle; where a partial one is gone, the beginning of the full one.

        Raises:
            ProofError: Neither file is there.
        """
        for candidate in dict.fromkeys((width, TILE_WIDTH)):
            found = self._blobs.get(tile_path(level, index, candidate))
            if found is not None:
                return found
        name = tile_path(level, index, width)
        raise ProofError(f"`{name}` is missing below `{self.path}`, restore it from a mirror")

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """The first `width` hashes of a tile.

        Raises:
            ProofError: The tile is missing or has fewer.
        """
        content = self.read(level, index, width)
        if len(content) < width * HASH_SIZE:
            raise ProofError(f"`{tile_path(level, index, width)}` is cut short, restore it")
        return [content[at : at + HASH_SIZE] for at in range(0, width * HASH_SIZE, HASH_SIZE)]

    def _read_subtrees(self, level: int, index: int, width: int) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees inside of a tile, joined: a row for each height."""
        row, rows = self.hashes(level, index, width), []
        for _ in range(TILE_HEIGHT):
            rows.append(b"".join(row))
            row = parents(row[: len(row) & ~1])
        return tuple(rows)

    def leaves(self, index: int, width: int) -> list[bytes]:
        """The first `width` leaves of a bundle.

        Raises:
            ProofError: The bundle is missing, malformed or has fewer.
        """
        found = unpack_bundle(self.read(ENTRIES, index, width))[:width]
        if len(found) < width:
            raise ProofError(f"`{tile_path(ENTRIES, index, width)}` is cut short, restore it")
        return found

    def edge(self, size: int) -> TileEdge:
        """The edge of the published tree of `size`, to go on writing from.

        Raises:
            ProofError: A file of that tree is missing or cut short.
        """
        edge = TileEdge()
        edge.size, edge.levels = size, []
        index, width = divmod(size, TILE_WIDTH)
        if width:
            edge.leaves = self.leaves(index, width)
        level = 0
        while count := size >> TILE_HEIGHT * level:
            index, width = divmod(count, TILE_WIDTH)
            edge.levels.append(self.hashes(level, index, width) if width else [])
            level += 1
        edge.levels = edge.levels or [[]]
        return edge

    def nodes(self, size: int) -> NodeReader:
        """Reads the hashes of the published tree of `size`, for building proofs."""

        def node(level: int, index: int) -> bytes:
            tile_level, below = divmod(level, TILE_HEIGHT)
            tile = index >> TILE_HEIGHT - below
            width = min((size >> TILE_HEIGHT * tile_level) - tile * TILE_WIDTH, TILE_WIDTH)
            row = self._subtrees(tile_level, tile, width)[below]
            at = (index - (tile << TILE_HEIGHT - below)) * HASH_SIZE
            return row[at : at + HASH_SIZE]

        return node
