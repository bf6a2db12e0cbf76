"""Makes bundles of evidence: what was asked for, opened, beside the proof that it is the log's.

A bundle is taken at the newest published checkpoint, with the cosignatures that it was published
with, and shows what of the question is the caller's part of the log. The parts of entries that are
selected are in it, nonce and bytes; of all others the leaf or its hash. An `EXPORT` entry that says
what was asked is durable before anything leaves; so is one with the customers in it before each
chunk of parts; the last one, before the manifest leaves, names the manifest's digest. No snapshot
is held open: what is read lies below the pinned size.

A bundle about one customer holds every leaf of the log, and the key that makes the tags of that
customer's entries: so its reader makes them, and sees that the list is all of them
(`guard.ledger.completeness`).
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from importlib import resources

import msgspec

from guard.clock import Clock, to_rfc3339
from guard.entries import BodyValue, EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, NotFoundError
from guard.evidence.manifest import (
    ANCHOR,
    ANCHOR_RANGE,
    CHECKPOINT,
    HASHES,
    LEAVES,
    MANIFEST,
    PARTS,
    RANGE,
    STAMP,
    TAGS,
    VERIFIER,
    Edges,
    EvidenceManifest,
    ShownTags,
    sign_evidence,
)
from guard.evidence.revealing import show
from guard.evidence.selecting import CHUNK, Question, Taken, select, subject_of
from guard.evidence.stamped import check_stamp
from guard.evidence.writing import BundleWriter
from guard.ledger.anchors import anchor_of
from guard.ledger.checkpoint import parse_text
from guard.ledger.entry import decode_leaf
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.ranges import range_proof
from guard.ledger.tiles import TILE_WIDTH, TileFolder, pack_bundle
from guard.log_scope import narrowed
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import living
from policies.model import Role

# Bundles of leaves read from the published files at a time: 16,384 leaves.
_READ_AHEAD = 64


class Evidence:
    """Makes bundles for auditors."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        folder: TileFolder,
        signer: NoteSigner,
    ) -> None:
        """Read through `readers` and the published `folder`; sign manifests with `signer`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._folder, self._signer = vault, folder, signer

    async def make(self, principal: Principal, question: Question) -> AsyncIterator[bytes]:
        """A bundle, in pieces; all of it is in entries of the log before it leaves.

        Raises:
            AccessDeniedError: The role may not export, or it is not the caller's part of the log.
            InvalidRequestError: The question is none, or asks for two things at once.
            NotFoundError: The customer is unknown or forgotten, or nothing is published yet.
        """
        if principal.role is not Role.AUDITOR:
            raise AccessDeniedError("an auditor takes evidence out")
        question.check()
        note = await asyncio.to_thread(self._note)
        return self._pieces(await select(self._readers, principal, question, note))

    def _note(self) -> bytes:
        try:
            return self._folder.checkpoint.read_bytes()
        except FileNotFoundError:
            raise NotFoundError("no checkpoint is published yet: try again in a second") from None

    async def _pieces(self, taken: Taken) -> AsyncIterator[bytes]:
        small = await asyncio.to_thread(self._small, taken)
        if taken.question.customer is not None:
            small[TAGS] = await self._readers.read(lambda view: self._tags(view, taken))
        await self._record(taken, 0, {"rows": 0} | _asked(taken), _asked_about(taken))
        bundle = BundleWriter()
        for name, content in small.items():
            bundle.add(name, content)
        yield bundle.take()
        with bundle.open(LEAVES if taken.is_whole else HASHES) as file:
            for first in range(taken.start // TILE_WIDTH, -(-taken.end // TILE_WIDTH), _READ_AHEAD):
                leaves = await asyncio.to_thread(self._leaves, taken, first)
                # Compressing takes its time, in which others are answered.
                await asyncio.to_thread(file.write, leaves)
                yield bundle.take()
        writers: dict[str, int] = {}
        with bundle.open(PARTS) as file:
            for at in range(0, len(taken.places), CHUNK):
                lines = await self._chunk(taken, at, writers)
                await asyncio.to_thread(file.write, lines)
                yield bundle.take()
        manifest = self._manifest(taken, bundle.files, writers)
        digest = hashlib.sha256(manifest).hexdigest()
        last: dict[str, BodyValue] = {"sha256": digest, "records": len(taken.places), "rows": 0}
        await self._record(taken, -(-len(taken.places) // CHUNK) + 1, last, ())
        bundle.add(MANIFEST, manifest)
        bundle.close()
        yield bundle.take()

    def _small(self, taken: Taken) -> dict[str, bytes]:
        """The files that say what the bundle hangs on, by name."""
        small = {VERIFIER: _verifier(), CHECKPOINT: taken.note}
        size = taken.checkpoint.size
        anchor = anchor_of(self._folder.checkpoint.parent, taken.end, size)
        if anchor is not None:
            note, token = anchor
            at = parse_text(parse_note(note).text).size
            stamp = {ANCHOR: note, STAMP: token, ANCHOR_RANGE: self._edges(at, at, size)}
            # One that proves nothing of this tree is an error of the log, and no evidence.
            check_stamp(stamp, taken.checkpoint, None)
            small |= stamp
        return small | {RANGE: self._edges(taken.start, taken.end, size)}

    def _edges(self, start: int, end: int, size: int) -> bytes:
        proof = range_proof(start, end, size, self._folder.nodes(size))
        left, right = (tuple(one.hex() for one in side) for side in (proof.left, proof.right))
        return msgspec.json.encode(Edges(left=left, right=right))

    def _tags(self, view: ReadView, taken: Taken) -> bytes:
        """What makes the tags of the entries about this customer alone, up to the pinned size."""
        subject = subject_of(view, taken.by.tenant, taken.question.customer or "")
        key = self._vault.tag_key(subject).hex()
        return msgspec.json.encode(ShownTags(key=key, count=taken.alone))

    def _leaves(self, taken: Taken, first: int) -> bytes:
        """The leaves, or their hashes, of some published bundles, as far as in the range."""
        size, pieces = taken.checkpoint.size, []
        last = min(first + _READ_AHEAD, -(-taken.end // TILE_WIDTH))
        for index in range(first, last):
            begin = index * TILE_WIDTH
            width = min(TILE_WIDTH, size - begin)
            inside = slice(max(taken.start - begin, 0), taken.end - begin)
            if taken.is_whole:
                pieces.append(pack_bundle(self._folder.leaves(index, width)[inside]))
            else:
                pieces.append(b"".join(self._folder.hashes(0, index, width)[inside]))
        return b"".join(pieces)

    async def _chunk(self, taken: Taken, at: int, writers: dict[str, int]) -> bytes:
        """Lines of the next entries shown; recorded before they are handed on."""
        only = taken.question.customer

        def look(view: ReadView) -> tuple[bytes, list[bytes], set[str], list[str]]:
            page = taken.page(view, at)
            subjects = view.subjects({ref for entry in page for ref in entry.refs})
            lines = [
                show(entry, self._vault, subjects, only=only, leaf=not taken.is_whole)
                for entry in page
            ]
            named = {ref for entry in page for ref in entry.refs} if only is None else {only}
            wrote = [decode_leaf(entry.leaf).writer for entry in page]
            return b"".join(lines), wrote, named, living(subjects, named)

        lines, wrote, named, opened = await self._readers.read(look)
        for writer in wrote:
            writers[writer.hex()] = writers.get(writer.hex(), 0) + 1
        await self._record(taken, at // CHUNK + 1, {"rows": len(wrote)}, named, opened)
        return lines

    async def _record(
        self,
        taken: Taken,
        number: int,
        more: dict[str, BodyValue],
        refs: Collection[str],
        opened: Collection[str] = (),
    ) -> None:
        event = event_by(taken.by, EntryKind.EXPORT, self._clock.now())
        why = taken.question.purpose
        fixed: dict[str, BodyValue] = {
            "format": "evidence",
            "chunk": number,
            "size": taken.checkpoint.size,
        }
        if taken.question.customer is None:
            # What somebody typed may name a customer: it lies under customers' keys alone, and in
            # the manifest.
            fixed["why_sha256"] = hashlib.sha256(why.encode()).hexdigest()
        event = msgspec.structs.replace(event, body=fixed | more)

        def work(tx: Transaction) -> None:
            named = living(tx.rows.subjects(refs), refs)
            if not set(opened).issubset(named):
                raise ConflictError("somebody was forgotten while this was made: ask for it anew")
            subjects = tuple(SubjectPart(customer=ref, reason=why) for ref in named)
            tx.record(NewEntry(kind=EntryKind.EXPORT, event=event, subjects=subjects))

        await self._committer.run(work)

    def _manifest(self, taken: Taken, files: dict[str, str], writers: dict[str, int]) -> bytes:
        manifest = EvidenceManifest(
            origin=taken.checkpoint.origin,
            size=taken.checkpoint.size,
            root=taken.checkpoint.root.hex(),
            tenant=taken.by.tenant,
            start=taken.start,
            end=taken.end,
            leaves="all" if taken.is_whole else "shown",
            filter=taken.filter(),
            requested_by=taken.by.id,
            purpose=taken.question.purpose,
            created_at=to_rfc3339(self._clock.now()),
            entries=len(taken.places),
            writers=writers,
            files=dict(files),
        )
        return sign_evidence(manifest, self._signer)


def _verifier() -> bytes:
    return (resources.files("guard.evidence") / "standalone.py").read_bytes()


def _asked(taken: Taken) -> dict[str, BodyValue]:
    """What was asked for, as its entry says it; the customer is that entry's subject."""
    asked = narrowed(taken.query)
    if taken.question.agent is not None:
        asked["about"] = taken.question.agent
    return asked | {"start": taken.start, "end": taken.end}


def _asked_about(taken: Taken) -> tuple[str, ...]:
    return () if taken.question.customer is None else (taken.question.customer,)
