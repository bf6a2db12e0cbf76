"""Signs and publishes the log: tiles first, then one checkpoint for all that is new.

A checkpoint is signed on an interval, never per entry, and only after every new entry was read
back from the store and hashed again. What was signed last is kept outside the database, in the
high-water file, and every new tree must continue that one. So neither a restored backup, nor a
deleted or changed row, nor a second store can make this key sign two histories: the publisher
raises `ForkError` and signs nothing until an operator has explained it (`docs/operations/keys.md`).

Order, so that a crash between any two steps is repeated and never contradicted:

1. `prepare` writes tiles and bundles, then the high-water file, each forced to disk;
2. the caller stores the note in a transaction of the one writer;
3. where witnesses are asked, a quorum cosigns it; without one the last stays published;
4. `finish` publishes it as the file `checkpoint`.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from guard.clock import Micros
from guard.durable import make_folder, replace_file
from guard.errors import ForkError, ProofError
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, parse_text, sign_checkpoint
from guard.ledger.cosigning import Cosigner
from guard.ledger.entry import check_stored
from guard.ledger.merkle import CompactRange
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.proofs import Proofs
from guard.ledger.tiles import File, TileEdge, TileFolder
from guard.ports import Committer, Readers, ReadView

# Entries read at a time: a few MB of sealed parts, and whole tiles.
CHUNK = 2048

# Entries caught up with in one `prepare`: some 32 files forced to disk, well inside a deadline,
# so that a long backlog is worked off in steps instead of timing out at its beginning for ever.
BACKLOG = 2 * CHUNK


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that is signed, and still to be stored and published."""

    size: int
    root: bytes
    note: bytes


class Publisher:
    """Publishes one log. Nothing else may sign with its key."""

    def __init__(
        self,
        signer: NoteSigner,
        *,
        log_dir: Path,
        high_water: Path,
        cosigner: Cosigner | None = None,
    ) -> None:
        """Publish below `log_dir`; the signer's name is the log's origin.

        `high_water` must outlive the database: never restore the two from one backup. With a
        `cosigner` only what a quorum of witnesses cosigned is published.
        """
        self._cosigner = cosigner
        self._uncosigned: Signed | None = None
        self._signer, self._folder, self._high_water = signer, TileFolder(log_dir), high_water
        self._proofs = Proofs(log_dir)
        self._lock = Lock()
        self._last: Signed | None = None
        self._edge = TileEdge()
        self._ahead: TileEdge | None = None

    async def publish_once(
        self, readers: Readers, committer: Committer, now: Micros
    ) -> bytes | None:
        """Sign, store and publish what is new; returns the note, or None if nothing is.

        Raises:
            ForkError: The store holds another history than the one signed before.
            StoreUnavailableError: The store cannot be read or written.
        """
        signed = await readers.read(self.prepare)
        while signed is None and self._ahead is not None:
            signed = await readers.read(self.prepare)
        if signed is None:
            if self._uncosigned is not None:
                await self._publish(self._uncosigned)
            return None
        ready = signed
        await committer.run(
            lambda tx: tx.rows.put_checkpoint(ready.size, ready.root, ready.note, now)
        )
        await self._publish(ready)
        return ready.note

    async def _publish(self, signed: Signed) -> None:
        """Have a checkpoint cosigned, and publish it; without a quorum, keep it for the next turn.

        Raises:
            ForkError: Witnesses hold a history that it does not continue.
        """
        self._uncosigned = signed
        note = signed.note if self._cosigner is None else await self._cosigner.collect(signed.note)
        if note is not None:
            await asyncio.to_thread(self.finish, replace(signed, note=note))
            self._uncosigned = None

    def prepare(self, view: ReadView) -> Signed | None:
        """Check what is new in the store and sign it.

        None if the store's checkpoint is current, or if more than `BACKLOG` entries are new: call
        again, the next step goes on from there.

        Raises:
            ForkError: The store holds another history than the one signed before.
        """
        with self._lock:
            stored = view.checkpoint()
            last = self._resume(stored)
            head = _head(view)
            if last is not None:
                self._compare(last, head, stored)
                if head.size == last.size:
                    return None if stored == last.note else last
            edge = self._extend(view, head)
            if edge is None:
                return None
            checkpoint = Checkpoint(self._signer.verifier.name, edge.size, edge.root())
            note = sign_checkpoint(checkpoint, self._signer)
            make_folder(self._high_water.parent)
            replace_file(self._high_water, note)
            self._edge, self._last = edge, Signed(edge.size, checkpoint.root, note)
            return self._last

    def finish(self, signed: Signed) -> None:
        """Publish a checkpoint that the store has made durable."""
        self._folder.publish(signed.note)

    def _resume(self, stored: bytes | None) -> Signed | None:
        """What was signed last, by this process or an earlier one."""
        if self._last is not None:
            return self._last
        try:
            note = self._high_water.read_bytes()
        except FileNotFoundError:
            if stored is not None or self._folder.checkpoint.exists():
                raise ForkError(
                    f"high-water mark `{self._high_water}` is missing though checkpoints were"
                    " signed: put the newest published checkpoint there, and ask the witnesses"
                ) from None
            return None
        try:
            checkpoint = open_checkpoint(note, self._signer.verifier)
            edge = self._folder.edge(checkpoint.size)
        except ProofError as error:
            raise ForkError(
                f"high-water mark `{self._high_water}` cannot be resumed: {error}"
            ) from None
        if edge.root() != checkpoint.root:
            raise ForkError("published tiles do not have the root that was signed, restore them")
        self._edge = edge
        self._last = Signed(checkpoint.size, checkpoint.root, note)
        return self._last

    def _compare(self, last: Signed, head: CompactRange, stored: bytes | None) -> None:
        """Refuse a store that is behind, beside or ahead of what this key signed."""
        if head.size < last.size or (head.size == last.size and head.root() != last.root):
            raise ForkError(
                f"store holds {head.size} entries and does not continue the {last.size} already"
                " signed, restore the missing ones from the published bundles"
            )
        if stored is None or stored == last.note:
            return
        try:
            kept = parse_text(parse_note(stored).text)
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

    def _extend(self, view: ReadView, head: CompactRange) -> TileEdge | None:
        """Read back and hash again what is new, and write its tiles; None if more is left."""
        # What was read ahead is dropped unless this step ends well: it was never signed.
        edge, self._ahead = self._ahead or self._edge.copy(), None
        end = min(head.size, edge.size + BACKLOG)
        while edge.size < end:
            files: list[File] = []
            entries = view.entries(edge.size, min(CHUNK, end - edge.size))
            if not entries:
                raise ForkError(f"entries from {edge.size} on are missing, restore them")
            for entry in entries:
                if entry.index != edge.size:
                    raise ForkError(f"entry {edge.size} is missing, restore it from a backup")
                try:
                    check_stored(entry)
                except ProofError as error:
                    raise ForkError(str(error)) from None
                files += edge.append(entry.leaf)
            self._folder.write(files)
        if edge.size < head.size:
            self._ahead = edge
            return None
        if edge.root() != head.root():
            raise ForkError("entries do not hash to the head of the store, verify the store")
        self._folder.write(edge.partials())
        return edge


def _head(view: ReadView) -> CompactRange:
    size, hashes = view.head()
    try:
        return CompactRange(size, hashes)
    except ProofError as error:
        raise ForkError(f"head of the store is damaged: {error}") from None
