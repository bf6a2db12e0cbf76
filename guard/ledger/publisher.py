"""Signs and publishes the log: tiles first, then one checkpoint for all that is new.

A checkpoint is signed on an interval, never per entry, and only after every new entry was read
back from the store and hashed again. What was signed last is kept outside the database, in the
high-water file, and every new tree must continue that one. So neither a restored backup, nor a
deleted or changed row, nor a second store can make this key sign two histories: the publisher
raises `ForkError` and signs nothing until an operator has explained it (`docs/operations/keys.md`).

Order, so that a crash between any two steps is repeated and never contradicted:

1. `prepare` writes tiles and bundles, then the high-water file, each forced to disk;
2. the note is stored, in a transaction of the one writer or of who holds the right to publish;
3. where witnesses are asked, a quorum cosigns it; without one the last stays published;
4. `finish` publishes it as the file `checkpoint`.

Where several brokers share a store, one of them publishes (`ports.PublishingRight`). The others
follow: they hash the same entries, and move their own files and mark to what the holder signed. So
whoever takes over knows by itself what was signed, and each has the whole published log. Only the
holder asks witnesses, and stores what they gave, for the others to publish.

A log without new entries is published anew every `REFRESH_S`, so that silence is told from a log
that is held back. The note is the same, as its time is not the log's to state: it stands in the
cosignatures, which witnesses give anew for the same size.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from guard.clock import Micros, monotonic
from guard.entries import StoredEntry
from guard.errors import ForkError, ProofError, StoreUnavailableError
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from guard.ledger.cosigning import Cosigner
from guard.ledger.entry import check_stored
from guard.ledger.high_water import HighWater
from guard.ledger.merkle import EMPTY_ROOT, CompactRange
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.proofs import Proofs
from guard.ledger.tiles import File, TileEdge, TileFolder
from guard.ports import Committer, PublishingRight, Readers, ReadView

# Entries read at a time: a few MB of sealed parts, and whole tiles.
CHUNK = 2048

# Entries caught up with in one `prepare`: some 32 files forced to disk, well inside a deadline,
# so that a long backlog is worked off in steps instead of timing out at its beginning for ever.
BACKLOG = 2 * CHUNK

# At most ten minutes lie between two publications, with room for a turn that fails.
REFRESH_S = 540.0


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that is signed, and still to be stored and published."""

    size: int
    root: bytes
    note: bytes


# Nothing is signed yet: what a log that begins continues.
_NOTHING = Signed(0, EMPTY_ROOT, b"")


class Publisher:
    """Publishes one log. Nothing else may sign with its key, but who has the same right."""

    def __init__(
        self,
        signer: NoteSigner,
        *,
        log_dir: Path,
        high_water: Path,
        right: PublishingRight | None = None,
        cosigner: Cosigner | None = None,
        mono: Callable[[], float] = monotonic,
    ) -> None:
        """Publish below `log_dir`; the signer's name is the log's origin.

        `high_water` must outlive the database: never restore the two from one backup. `right` is
        what several brokers contend for; None where there is one broker. With a `cosigner` only
        what a quorum of witnesses cosigned is published.
        """
        self._signer, self._folder = signer, TileFolder(log_dir)
        self._mark = HighWater(high_water, signer.verifier)
        self._right, self._cosigner, self._mono = right, cosigner, mono
        self._proofs = Proofs(log_dir)
        self._lock = Lock()
        self._last: Signed | None = None
        self._edge = TileEdge()
        self._ahead: TileEdge | None = None
        self._has_more = False
        self._published_at: float | None = None

    async def keep(self) -> None:
        """Keep the right to publish between two turns, if there is one to keep.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        if self._right is not None:
            await asyncio.to_thread(self._right.hold)

    async def publish_once(
        self, readers: Readers, committer: Committer, now: Micros
    ) -> bytes | None:
        """Sign, store and publish what is new, or follow who has the right to.

        Returns the note that this process published, which is to be cosigned (again); None if
        there was nothing to publish, or another broker does.

        Raises:
            ForkError: The store holds another history than the one signed before.
            StoreUnavailableError: The store cannot be read or written, or the right was lost.
        """
        if self._right is not None and not await asyncio.to_thread(self._right.hold):
            await self._steps(readers, self.follow)
            await asyncio.to_thread(self._show, await readers.read(_stored))
            return None
        signed = await self._steps(readers, self.prepare)
        if signed is None:
            return await self._refresh(committer, now)
        await self._store(committer, signed, now)
        return await self._publish(committer, signed, now)

    async def _steps(
        self, readers: Readers, step: Callable[[ReadView], Signed | None]
    ) -> Signed | None:
        """Work a backlog off."""
        done = await readers.read(step)
        while self._has_more:
            done = await readers.read(step)
        return done

    async def _store(self, committer: Committer, signed: Signed, now: Micros) -> None:
        values = (signed.size, signed.root, signed.note, now)
        if self._right is None:
            await committer.run(lambda tx: tx.rows.put_checkpoint(*values))
        else:
            await asyncio.to_thread(self._right.put_checkpoint, *values)

    async def _publish(self, committer: Committer, signed: Signed, now: Micros) -> bytes | None:
        """Have a checkpoint cosigned, and publish it; None without a quorum: the next turn asks.

        Raises:
            ForkError: Witnesses hold a history that it does not continue.
        """
        if self._cosigner is not None:
            cosigned = await self._cosigner.collect(signed.note)
            if cosigned is None:
                return None
            signed = replace(signed, note=cosigned)
            if self._right is not None:
                await self._store(committer, signed, now)
        await asyncio.to_thread(self.finish, signed)
        return signed.note

    def _show(self, stored: bytes | None) -> None:
        """Publish what the holder of the right stored, unless witnesses have yet to cosign it."""
        last = self._last
        if last is None or stored is None or not self._holds(stored, last):
            return
        if self._cosigner is not None and not self._cosigner.believes(stored):
            return
        if self._is_due() or not self._is_published(last):
            self.finish(replace(last, note=stored))

    def examine(self, view: ReadView) -> None:
        """Check that the store continues what was signed, as far as one step goes; sign nothing.

        Raises:
            ForkError: It does not.
        """
        with self._lock:
            last, head = self._continue(view)
            if last is not None and head.size > last.size:
                self._ahead = self._extend(view, head.size, head.root()) or self._ahead

    def follow(self, view: ReadView) -> Signed | None:
        """Check what another broker signed, and move files and mark to it.

        None if nothing was, or if more than `BACKLOG` entries are new: call again.

        Raises:
            ForkError: The store holds another history than the one signed before.
            StoreUnavailableError: The mark cannot be moved now.
        """
        with self._lock:
            last, _ = self._continue(view)
            return None if last is None else self._follow(view, last)

    def prepare(self, view: ReadView) -> Signed | None:
        """Check what is new in the store and sign it.

        None if the store's checkpoint is current, or if more than `BACKLOG` entries are new: call
        again, the next step goes on from there.

        Raises:
            ForkError: The store holds another history than the one signed before.
            StoreUnavailableError: The right to publish was lost, or the mark cannot be moved now.
        """
        with self._lock:
            last, head = self._continue(view)
            if last is None:
                return None
            if self._right is not None:
                # What the broker before signed must be in what is signed now.
                last = self._follow(view, last) or last
                if self._has_more:
                    return None
            stored = view.checkpoint()
            if last.note and head.size == last.size:
                return None if stored is not None and self._holds(stored, last) else last
            edge = self._extend(view, head.size, head.root())
            if edge is None:
                return None
            if self._right is not None:
                self._right.confirm()
            checkpoint = Checkpoint(self._signer.verifier.name, edge.size, edge.root())
            return self._moved(edge, checkpoint, sign_checkpoint(checkpoint, self._signer))

    def finish(self, signed: Signed) -> None:
        """Publish a checkpoint that the store has made durable, unless a later one is."""
        held = self._mark.read()
        if held is None or held[0].size <= signed.size:
            self._folder.publish(signed.note)
        self._published_at = self._mono()

    def release(self) -> None:
        """Let another broker publish."""
        if self._right is not None:
            self._right.release()

    async def _refresh(self, committer: Committer, now: Micros) -> bytes | None:
        """Publish the newest checkpoint again if it is time, or if the file says another thing."""
        last = self._last
        if last is None or (
            not self._is_due() and await asyncio.to_thread(self._is_published, last)
        ):
            return None
        return await self._publish(committer, last, now)

    def _is_due(self) -> bool:
        since = self._published_at
        return since is None or self._mono() - since >= REFRESH_S

    def _is_published(self, last: Signed) -> bool:
        """Whether the published file says what was signed last, whoever cosigned it."""
        try:
            return parse_note(self._folder.checkpoint.read_bytes()).text == (
                parse_note(last.note).text
            )
        except (OSError, ProofError):
            return False

    def _follow(self, view: ReadView, last: Signed) -> Signed | None:
        """Move to the stored checkpoint; None if that is nothing new, or more is left."""
        stored = view.checkpoint()
        if stored is None or stored == last.note:
            return None
        checkpoint = self._open(stored)
        if checkpoint.size < last.size or (checkpoint.size == last.size and last.note):
            return None
        edge = self._extend(view, checkpoint.size, checkpoint.root)
        return None if edge is None else self._moved(edge, checkpoint, stored)

    def _moved(self, edge: TileEdge, checkpoint: Checkpoint, note: bytes) -> Signed:
        """Move the mark, and remember what is signed now."""
        if not self._mark.advance(checkpoint, note):
            # Another publisher shares the file and is further: go on from what it left there.
            self._last = None
            raise StoreUnavailableError("another publisher has signed more, following it")
        self._edge, self._last = edge, Signed(checkpoint.size, checkpoint.root, note)
        return self._last

    def _continue(self, view: ReadView) -> tuple[Signed | None, CompactRange]:
        """What was signed last, None while its files are made anew, and the head of the store."""
        self._has_more = False
        stored, head = view.checkpoint(), _head(view)
        last = self._resume(stored)
        _compare_head(last, head)
        if self._edge.size < last.size:
            edge = self._extend(view, last.size, last.root)
            if edge is None:
                return None, head
            self._edge = edge
        self._compare_stored(last, head, stored)
        return last, head

    def _resume(self, stored: bytes | None) -> Signed:
        """What was signed last, by this process or an earlier one."""
        if self._last is not None:
            return self._last
        held = self._mark.read()
        if held is None:
            if stored is not None or self._folder.checkpoint.exists():
                raise ForkError(
                    f"high-water mark `{self._mark.path}` is missing though checkpoints were"
                    " signed: put the newest published checkpoint there, and ask the witnesses"
                )
            self._last = _NOTHING
            return self._last
        checkpoint, note = held
        try:
            edge = self._folder.edge(checkpoint.size)
        except ProofError:
            # Files are gone: they are made anew from the entries, which must hash to the mark.
            edge = TileEdge()
        if edge.size == checkpoint.size and edge.root() != checkpoint.root:
            raise ForkError("published tiles do not have the root that was signed, restore them")
        self._edge, self._ahead = edge, None
        self._last = Signed(checkpoint.size, checkpoint.root, note)
        return self._last

    def _compare_stored(self, last: Signed, head: CompactRange, stored: bytes | None) -> None:
        """Refuse a stored checkpoint that is beside what this key signed."""
        if stored is None or self._holds(stored, last):
            return
        kept = self._open(stored)
        if self._right is not None and last.size < kept.size <= head.size:
            return  # the broker that had the right before signed it; `follow` checks it
        try:
            is_prefix = kept.size <= last.size and (
                kept.size == 0 or self._proofs.root(kept.size) == kept.root
            )
        except ProofError as error:
            raise ForkError(f"stored checkpoint cannot be compared: {error}") from None
        if not is_prefix:
            raise ForkError(
                f"store holds a checkpoint of {kept.size} that this log did not sign, restore the"
                " checkpoints from the high-water mark's own store"
            )

    def _holds(self, stored: bytes, last: Signed) -> bool:
        """Whether a stored note is what was signed last, whoever cosigned it."""
        if stored == last.note:
            return True
        kept = self._open(stored)
        return (kept.size, kept.root) == (last.size, last.root) and last.note != b""

    def _open(self, stored: bytes) -> Checkpoint:
        try:
            return open_checkpoint(stored, self._signer.verifier)
        except ProofError as error:
            raise ForkError(f"stored checkpoint cannot be compared: {error}") from None

    def _extend(self, view: ReadView, size: int, root: bytes) -> TileEdge | None:
        """Read back and hash again what is new up to `size`, which must give `root`.

        Writes the tiles of it; None if more is left.
        """
        # What was read ahead is dropped unless this step ends well: it was never signed.
        edge, self._ahead = self._ahead, None
        if edge is None or edge.size > size:
            edge = self._edge.copy()
        end = min(size, edge.size + BACKLOG)
        while edge.size < end:
            entries = view.entries(edge.size, min(CHUNK, end - edge.size))
            if not entries:
                raise ForkError(f"entries from {edge.size} on are missing, restore them")
            self._folder.write(_hashed(edge, entries))
        if edge.size < size:
            self._ahead, self._has_more = edge, True
            return None
        if edge.root() != root:
            raise ForkError("entries do not hash to the head of the store, verify the store")
        self._folder.write(edge.partials())
        return edge


def _hashed(edge: TileEdge, entries: Sequence[StoredEntry]) -> list[File]:
    """Hash what was read back and append it; the files that are now complete."""
    for index, entry in enumerate(entries, edge.size):
        if entry.index != index:
            raise ForkError(f"entry {index} is missing, restore it from a backup")
        try:
            check_stored(entry)
        except ProofError as error:
            raise ForkError(str(error)) from None
    return edge.extend([entry.leaf for entry in entries])


def _compare_head(last: Signed, head: CompactRange) -> None:
    """Refuse a store that is behind or beside what was signed."""
    if head.size < last.size or (head.size == last.size and head.root() != last.root):
        raise ForkError(
            f"store holds {head.size} entries and does not continue the {last.size} already"
            " signed, restore the missing ones from the published bundles"
        )


def _stored(view: ReadView) -> bytes | None:
    return view.checkpoint()


def _head(view: ReadView) -> CompactRange:
    size, hashes = view.head()
    try:
        return CompactRange(size, hashes)
    except ProofError as error:
        raise ForkError(f"head of the store is damaged: {error}") from None
