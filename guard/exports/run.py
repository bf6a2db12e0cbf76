"""One file of the log while it is made: chunk after chunk, and what is counted on the way.

A run reads pages of a fixed size below a pinned size of the tree, newest first, so the same order
gives the same chunks whenever it is run, and a broken download can be gone on with: the run is made
again, and only what had not arrived leaves. What it keeps does not grow with the file, except for a
digest a chunk.
"""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from guard.exports.encoder import Encoder
from guard.exports.manifest import ChunkDigest, Population, Tally
from guard.exports.opening import Page, open_page, paged
from guard.exports.order import ExportOrder
from guard.exports.row import KIND_NAMES, named, opened
from guard.ports import DetailVault, ReadView

# Entries a chunk: few enough that its own entry, which names all their customers, holds nobody up
# who waits to see a record; enough that its commit is shared by many.
CHUNK = 1_000

# Leaf hashes of omitted entries read at once.
OMITTED_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of the file that has not left yet, with the customers that it names.

    `opened` are those of whom it holds more than the reference.
    """

    number: int
    content: bytes
    entries: int
    refs: frozenset[str]
    opened: frozenset[str]
    digest: ChunkDigest
    is_last: bool


class Run:
    """Makes one file."""

    def __init__(self, order: ExportOrder, size: int, encoder: Encoder, vault: DetailVault) -> None:
        """Begin at the end of a tree of `size` entries."""
        self._order, self._encoder, self._vault = order, encoder, vault
        self.before, self.entries = size, 0
        self.tally = Tally()
        self.chunks: list[ChunkDigest] = []
        self._kinds: Counter[str] = Counter()
        self._vendors: Counter[str] = Counter()
        self._first: int | None = None
        self._last: int | None = None
        self._erased = 0
        self._omitted, self._omitted_hash = 0, sha256()
        # The indexes of the last page, and where what it left out begins and ends.
        self._included: frozenset[int] = frozenset()
        self._left_out = (size, size)

    def step(self, view: ReadView) -> Chunk:
        """Make the next chunk; call `omit` until it says False before the next.

        Raises:
            ProofError: An entry does not hold.
            KeyUnavailableError: A key that should be there is not.
        """
        order = self._order
        query = paged(order.query, self.before, CHUNK)
        page = open_page(view, self._vault, query, customers=order.customers)
        rows = page.rows
        is_last = page.read < CHUNK
        encoded = self._encoder.chunk(rows)
        content, records = encoded.content, encoded.records
        if is_last:
            end = self._encoder.end()
            content, records = content + end.content, records + end.records
        self.tally.add(content, records)
        digest = ChunkDigest(len(content), sha256(content).hexdigest())
        self.chunks.append(digest)
        self._count(page, is_last=is_last)
        return Chunk(
            number=len(self.chunks) - 1,
            content=content,
            entries=len(rows),
            refs=named(rows),
            opened=opened(rows),
            digest=digest,
            is_last=is_last,
        )

    def _count(self, page: Page, *, is_last: bool) -> None:
        rows = page.rows
        self.entries += len(rows)
        self._erased += page.read - len(rows)
        self._kinds.update(KIND_NAMES[row.kind] for row in rows)
        self._vendors.update(page.vendors)
        if rows:
            self._last = rows[0].index if self._last is None else self._last
            self._first = rows[-1].index
        lowest = 0 if is_last else page.lowest
        self._included = frozenset(row.index for row in rows)
        self._left_out = (lowest, self.before)
        self.before = lowest

    def omit(self, view: ReadView) -> bool:
        """Commit to entries that the last page left out; whether there are more of them."""
        lowest, end = self._left_out
        if end - lowest == len(self._included):
            return False
        start = max(lowest, end - OMITTED_AT_ONCE)
        hashes = enumerate(view.leaf_hashes(start, end), start)
        left_out = [leaf for index, leaf in hashes if index not in self._included]
        self._omitted += len(left_out)
        self._omitted_hash.update(b"".join(reversed(left_out)))
        self._included = frozenset(index for index in self._included if index < start)
        self._left_out = (lowest, start)
        return start > lowest

    def population(self) -> Population:
        """All that is in the file, and the commitment to all that is not."""
        return Population(
            entries=self.entries,
            first_index=self._first,
            last_index=self._last,
            kinds=dict(sorted(self._kinds.items())),
            vendors=dict(sorted(self._vendors.items())),
            erased=self._erased,
            omitted=self._omitted,
            omitted_sha256=self._omitted_hash.hexdigest() if self._omitted else "",
        )
