"""Makes bundles of evidence: what was asked for, opened, beside the proof that it is the log's.

A bundle is taken at the newest published checkpoint. The parts of entries that the question selects
are in it, nonce and bytes; of all others the leaf or its hash. Before a chunk of parts leaves, an
`EXPORT` entry with the customers in it is durable; the last one, before the manifest leaves, names
the manifest's digest. No snapshot is held open: what is read lies below the pinned size.

A bundle about one customer holds every leaf of the log, and the tags of that customer's entries: so
its reader sees that the list is all of them (`guard.ledger.completeness`).
"""

import asyncio
import hashlib
from array import array
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources

import msgspec

from guard.clock import Clock, Micros, to_rfc3339
from guard.entries import BodyValue, EntryKind, NewEntry, StoredEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.evidence.manifest import (
    CHECKPOINT,
    HASHES,
    LEAVES,
    MANIFEST,
    PARTS,
    RANGE,
    TAGS,
    TIMESTAMP,
    VERIFIER,
    Edges,
    EvidenceManifest,
    ShownTags,
    sign_evidence,
)
from guard.evidence.revealing import show
from guard.evidence.writing import BundleWriter
from guard.ledger.checkpoint import Checkpoint, parse_text
from guard.ledger.entry import decode_leaf
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.ranges import range_proof
from guard.ledger.tiles import TILE_WIDTH, TileFolder, pack_bundle
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import LogQuery, SubjectRow
from policies.model import Role

# Entries opened, and named in one `EXPORT` entry, at a time.
CHUNK = 500

# Bundles of leaves read from the published files at a time: 16,384 leaves.
_READ_AHEAD = 64
_MAY_EXPORT = frozenset({Role.AUDITOR, Role.ADMIN})
_MAX_PURPOSE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What evidence is asked for, and why: one of a customer, somebody's time, a time, a range."""

    purpose: str
    customer: str | None = None
    agent: str | None = None
    since: Micros | None = None
    until: Micros | None = None
    start: int | None = None
    end: int | None = None

    def filter(self) -> dict[str, str]:
        """What selects the entries, as the manifest says it."""
        asked = {
            "customer": self.customer,
            "agent": self.agent,
            "since": None if self.since is None else str(self.since),
            "until": None if self.until is None else str(self.until),
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What one bundle is taken from."""

    by: Principal
    question: Question
    note: bytes
    checkpoint: Checkpoint
    query: LogQuery
    places: "array[int]"
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether every leaf of the range is in the bundle, not only those that were asked for."""
        asked = self.question
        return (asked.agent, asked.since, asked.until) == (None, None, None)


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
        """A bundle, in pieces; each piece of details is an entry of the log before it leaves.

        Raises:
            AccessDeniedError: The role may not export.
            InvalidRequestError: The question is none, or asks for two things at once.
            NotFoundError: The customer is unknown, or nothing has been published yet.
        """
        if principal.role not in _MAY_EXPORT:
            raise AccessDeniedError("an auditor or administrator takes evidence out")
        _check_question(question)
        note = await asyncio.to_thread(self._note)
        checkpoint = parse_text(parse_note(note).text)
        taken = await self._readers.read(
            lambda view: _select(view, principal, question, note, checkpoint)
        )
        return self._pieces(taken)

    def _note(self) -> bytes:
        try:
            return self._folder.checkpoint.read_bytes()
        except FileNotFoundError:
            raise NotFoundError("no checkpoint is published yet: try again in a second") from None

    async def _pieces(self, taken: _Taken) -> AsyncIterator[bytes]:
        bundle = BundleWriter()
        bundle.add(VERIFIER, _verifier())
        bundle.add(CHECKPOINT, taken.note)
        stamp = self._folder.checkpoint.with_name(TIMESTAMP)
        if await asyncio.to_thread(stamp.is_file):
            bundle.add(TIMESTAMP, await asyncio.to_thread(stamp.read_bytes))
        bundle.add(RANGE, await asyncio.to_thread(self._range, taken))
        if taken.question.customer is not None:
            bundle.add(TAGS, await self._readers.read(lambda view: self._tags(view, taken)))
        with bundle.open(LEAVES if taken.is_whole else HASHES) as file:
            for first in range(taken.start // TILE_WIDTH, -(-taken.end // TILE_WIDTH), _READ_AHEAD):
                file.write(await asyncio.to_thread(self._leaves, taken, first))
                yield bundle.take()
        writers: dict[str, int] = {}
        with bundle.open(PARTS) as file:
            for at in range(0, len(taken.places), CHUNK):
                lines = await self._chunk(taken, at, writers)
                file.write(lines)
                yield bundle.take()
        manifest = self._manifest(taken, bundle.files, writers)
        digest = hashlib.sha256(manifest).hexdigest()
        last: dict[str, BodyValue] = {"sha256": digest, "records": len(taken.places), "rows": 0}
        await self._record(taken, len(taken.places) // CHUNK + 1, last, ())
        bundle.add(MANIFEST, manifest)
        bundle.close()
        yield bundle.take()

    def _range(self, taken: _Taken) -> bytes:
        size = taken.checkpoint.size
        proof = range_proof(taken.start, taken.end, size, self._folder.nodes(size))
        left, right = (tuple(one.hex() for one in side) for side in (proof.left, proof.right))
        return msgspec.json.encode(Edges(left=left, right=right))

    def _tags(self, view: ReadView, taken: _Taken) -> bytes:
        """The tags of the entries about this customer alone, up to the pinned size."""
        subject = _subject(view, taken)
        alone = sum(
            entry.refs == (subject.ref,)
            for at in range(0, len(taken.places), CHUNK)
            for entry in _page(view, taken, at)
        )
        tags = [self._vault.tag(subject, n).hex() for n in range(alone + 1)]
        return msgspec.json.encode(ShownTags(tags=tuple(tags[:-1]), absent=tags[-1]))

    def _leaves(self, taken: _Taken, first: int) -> bytes:
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

    async def _chunk(self, taken: _Taken, at: int, writers: dict[str, int]) -> bytes:
        """Lines of the next entries shown; recorded before they are handed on."""

        def look(view: ReadView) -> tuple[list[StoredEntry], dict[str, SubjectRow]]:
            page = _page(view, taken, at)
            return page, view.subjects({ref for entry in page for ref in entry.refs})

        page, subjects = await self._readers.read(look)
        only, lines = taken.question.customer, []
        for entry in page:
            writer = decode_leaf(entry.leaf).writer.hex()
            writers[writer] = writers.get(writer, 0) + 1
            lines.append(show(entry, self._vault, subjects, only=only, leaf=not taken.is_whole))
        named = {ref for entry in page for ref in entry.refs} if only is None else {only}
        # An erased customer has no key that could hide a new entry's part; nothing of it is shown.
        alive = [ref for ref in sorted(named) if subjects[ref].wrapped_key is not None]
        await self._record(taken, at // CHUNK, {"rows": len(page)}, alive)
        return b"".join(lines)

    async def _record(
        self, taken: _Taken, number: int, more: dict[str, BodyValue], refs: Collection[str]
    ) -> None:
        event = event_by(taken.by, EntryKind.EXPORT, self._clock.now())
        fixed: dict[str, BodyValue] = {
            "format": "evidence",
            "chunk": number,
            "size": taken.checkpoint.size,
        }
        why = taken.question.purpose
        subjects = tuple(SubjectPart(customer=ref, reason=why) for ref in refs)
        new = NewEntry(
            kind=EntryKind.EXPORT,
            event=msgspec.structs.replace(event, body=fixed | more),
            subjects=subjects,
        )

        def work(tx: Transaction) -> None:
            tx.record(new)

        await self._committer.run(work)

    def _manifest(self, taken: _Taken, files: dict[str, str], writers: dict[str, int]) -> bytes:
        manifest = EvidenceManifest(
            origin=taken.checkpoint.origin,
            size=taken.checkpoint.size,
            root=taken.checkpoint.root.hex(),
            tenant=taken.by.tenant,
            start=taken.start,
            end=taken.end,
            leaves="all" if taken.is_whole else "shown",
            filter=taken.question.filter(),
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


def _check_question(question: Question) -> None:
    is_range = question.start is not None or question.end is not None
    is_time = question.since is not None or question.until is not None
    asked = (question.customer is not None, question.agent is not None or is_time, is_range)
    if sum(asked) > 1:
        raise InvalidRequestError("ask for one customer, or one agent and time, or one range")
    if not question.purpose.strip() or len(question.purpose) > _MAX_PURPOSE:
        raise InvalidRequestError(
            f"say in at most {_MAX_PURPOSE} characters what the evidence is for"
        )


def _select(
    view: ReadView, by: Principal, question: Question, note: bytes, checkpoint: Checkpoint
) -> _Taken:
    """Which entries are shown: their places alone are held, eight bytes for each."""
    size = checkpoint.size
    start, end = question.start or 0, size if question.end is None else question.end
    if not 0 <= start <= end <= size:
        raise InvalidRequestError(f"the range must lie within the {size} entries published")
    query = LogQuery(
        tenant=by.tenant,
        ref=question.customer,
        agent_id=question.agent,
        since=question.since,
        until=question.until,
        limit=CHUNK,
    )
    if question.customer is not None and view.subject(by.tenant, question.customer) is None:
        raise NotFoundError("unknown customer reference")
    found = array("q", _places(view, query, start, end))
    found.reverse()
    if question.agent is not None or question.since is not None or question.until is not None:
        start, end = (found[0], found[-1] + 1) if found else (0, 0)
    return _Taken(
        by=by,
        question=question,
        note=note,
        checkpoint=checkpoint,
        query=query,
        places=found,
        start=start,
        end=end,
    )


def _places(view: ReadView, query: LogQuery, start: int, end: int) -> Iterator[int]:
    """Places of the entries that fit, from the newest."""
    before = end
    while page := view.search(replace(query, before=before)):
        for entry in page:
            if entry.index < start:
                return
            yield entry.index
        before = page[-1].index


def _page(view: ReadView, taken: _Taken, at: int) -> list[StoredEntry]:
    """The entries shown from the `at`th on, at most a chunk, oldest first."""
    places: Sequence[int] = taken.places[at : at + CHUNK]
    query = replace(taken.query, before=places[-1] + 1, limit=len(places))
    return list(reversed(view.search(query)))


def _subject(view: ReadView, taken: _Taken) -> SubjectRow:
    ref = taken.question.customer or ""
    subject = view.subject(taken.by.tenant, ref)
    if subject is None:
        raise NotFoundError("unknown customer reference")
    return subject
