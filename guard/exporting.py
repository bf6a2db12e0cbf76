"""Files of the log: asked for, sent in chunks, gone on with when they break off, and signed for.

Each chunk is an entry of the log, with all customers that it names, before it leaves; and so is
each chunk that is sent a second time. A job keeps what was asked for, of which tree, and the digest
of each chunk. To go on with a broken download the file is made again from its beginning, compared
with those digests, and sent from the first chunk that had not arrived: what was sent before and
after is one file, or it is refused.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_hex

import msgspec

from guard.clock import DAY, Clock, to_rfc3339
from guard.durable import make_folder, replace_file
from guard.entries import BodyValue, EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.exports import FORMATS, ExportFormat, Source
from guard.exports.manifest import Manifest, open_manifest, sign_manifest
from guard.exports.order import ExportOrder, decode_order, filter_of
from guard.exports.raw_blocks import BLOCK, read_block
from guard.exports.run import Chunk, Run
from guard.ledger.merkle import CompactRange
from guard.ledger.note import NoteSigner
from guard.log_scope import narrowed, scoped
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import LogScope, Principal
from guard.rows import ExportChunkRow, ExportJobRow, LogCount, LogQuery, living
from policies.model import Role

# How long a broken download can be gone on with.
RESUMABLE_FOR = 7 * DAY
# Of files too old to be gone on with, how many are forgotten when another is begun.
_DROPPED_AT_ONCE = 100
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """Where the manifests of exports lie, what signs them, and in which version's name."""

    folder: Path
    signer: NoteSigner
    version: str

    @property
    def source(self) -> Source:
        """Who speaks in files that say so."""
        return Source(
            origin=self.signer.verifier.name.removesuffix("/exports"), version=self.version
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file on its way: its job, its format, and its bytes from `offset` on."""

    job: str
    format: ExportFormat
    offset: int
    pieces: AsyncIterator[bytes]


class Exports:
    """Gives the log out."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        manifests: Manifests,
    ) -> None:
        """Read through `readers`, open with `vault`, record through `committer`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._manifests = vault, manifests

    async def export(self, principal: Principal, order: ExportOrder) -> Download:
        """A file of the log, newest first, at the size of the tree right now.

        With the last chunk a signed manifest lies in the folder of manifests under the SHA-256 of
        the file, and the last `EXPORT` entry names that digest.

        Raises:
            AccessDeniedError: The role may not export, or asks for another tenant.
            InvalidRequestError: The order makes no sense.
            ConfigurationError: The format needs a package that is not installed.
        """
        _require(principal, order.query.tenant)
        order.check()
        order = replace(order, query=_own(principal, order))
        tree = await self._tree()
        job = ExportJobRow(
            id=token_hex(16),
            tenant=principal.tenant,
            requested_by=principal.id,
            order=order.encoded(),
            size=tree.size,
            root=tree.root(),
            created_at=self._clock.now(),
            before=tree.size,
        )
        return self._download(principal, job, order, sent=[], skip=0)

    async def resume(self, principal: Principal, job_id: str, received: int) -> Download:
        """The rest of a file of which so many bytes have arrived.

        It begins at the last boundary of a chunk at or before them (`Download.offset`).

        Raises:
            AccessDeniedError: The role may not export any more.
            NotFoundError: There is no such job of this principal.
            ConflictError: It is too old, or what it holds has changed since.
        """
        job = await self.progress(principal, job_id)
        if self._clock.now() > job.created_at + RESUMABLE_FOR:
            raise ConflictError("this export is too old to be gone on with, ask for it anew")
        order = decode_order(job.order)
        if _own(principal, order) != order.query:
            raise AccessDeniedError("what this export holds is no longer yours, ask for it anew")
        sent = await self._readers.read(lambda view: view.export_chunks(job_id))
        skip, offset = 0, 0
        while skip < len(sent) and offset + sent[skip].octets <= received:
            offset += sent[skip].octets
            skip += 1
        return self._download(principal, job, order, sent=sent, skip=skip)

    async def progress(self, principal: Principal, job_id: str) -> ExportJobRow:
        """How much of a file has left.

        Raises:
            AccessDeniedError: The role may not export.
            NotFoundError: There is no such job of this principal.
        """
        _require(principal, principal.tenant)
        job = await self._readers.read(lambda view: view.export_job(job_id))
        if job is None or (job.tenant, job.requested_by) != (principal.tenant, principal.id):
            raise NotFoundError("no such export of yours, ask for one")
        return job

    async def manifest(self, principal: Principal, digest: str) -> bytes:
        """The signed manifest of an exported file, by the SHA-256 of the file; asking is an entry.

        Raises:
            AccessDeniedError: The role may not export; it is another's, and a part of the log is
                the caller's.
            NotFoundError: There is none, or it is another tenant's.
        """
        _require(principal, principal.tenant)
        if not _DIGEST.fullmatch(digest):
            raise NotFoundError("no such manifest: name it by the file's SHA-256 in hex")
        try:
            folder = self._folder_of(principal.tenant)
            note = await asyncio.to_thread((folder / digest).read_bytes)
        except FileNotFoundError:
            raise NotFoundError("no such manifest: was the export read to its end?") from None
        manifest = open_manifest(note, self._manifests.signer.verifier)
        if manifest.requested_by != principal.id and not await self._has_all(principal):
            raise AccessDeniedError("this file is another's, and a part of the log is yours")
        event = msgspec.structs.replace(
            event_by(principal, EntryKind.AUDIT_QUERY, self._clock.now()),
            body={"manifest": digest},
        )
        entry = NewEntry(kind=EntryKind.AUDIT_QUERY, event=event)
        await self._committer.run(lambda tx: tx.record(entry))
        return note

    async def raw(
        self, principal: Principal, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Leaves and sealed parts of entries [start, end), for a mirror: nothing is opened.

        Raises:
            AccessDeniedError: The role may not export, or a part of the log is the caller's.
            InvalidRequestError: The log has no such range.
        """
        _require(principal, principal.tenant)
        size = (await self._tree()).size
        if not await self._has_all(principal):
            raise AccessDeniedError("a mirror holds the whole log, and a part of it is yours")
        last = size if end is None else end
        if not 0 <= start <= last <= size:
            raise InvalidRequestError("the log has no such range, it ends before that")
        return self._blocks(principal, start, last)

    async def _blocks(self, principal: Principal, start: int, end: int) -> AsyncIterator[bytes]:
        for number, first in enumerate(range(start, end, BLOCK)):
            last = min(first + BLOCK, end)
            block = await self._readers.read(
                partial(read_block, tenant=principal.tenant, start=first, end=last)
            )
            body: dict[str, BodyValue] = {
                "format": "raw",
                "chunk": number,
                "rows": last - first,
                "size": end,
                "digest": hashlib.sha256(block).hexdigest(),
            }
            await self._committer.run(partial(self._record, by=principal, body=body))
            yield block

    def _download(
        self,
        principal: Principal,
        job: ExportJobRow,
        order: ExportOrder,
        *,
        sent: list[ExportChunkRow],
        skip: int,
    ) -> Download:
        encoder = FORMATS[order.format].encoder(self._manifests.source, order.cells)
        run = Run(order, job.size, encoder, self._vault)
        return Download(
            job=job.id,
            format=order.format,
            offset=sum(chunk.octets for chunk in sent[:skip]),
            pieces=self._chunks(principal, job, order, run, sent[:skip]),
        )

    async def _chunks(
        self,
        principal: Principal,
        job: ExportJobRow,
        order: ExportOrder,
        run: Run,
        arrived: list[ExportChunkRow],
    ) -> AsyncIterator[bytes]:
        is_last = False
        while not is_last:
            chunk = await self._readers.read(run.step)
            while await self._readers.read(run.omit):
                pass
            is_last = chunk.is_last
            if chunk.number < len(arrived):
                if arrived[chunk.number].sha256.hex() != chunk.digest.sha256:
                    raise ConflictError(
                        "what this file holds has changed since, somebody may have been forgotten: "
                        "ask for it anew"
                    )
                continue
            job = replace(
                job,
                before=run.before,
                chunks=chunk.number + 1,
                entries=run.entries,
                octets=run.tally.octets,
                sha256=run.tally.digest() if is_last else "",
            )
            await self._record_chunk(principal, job, order, run, chunk)
            if is_last:
                await asyncio.to_thread(self._keep_manifest, job, order, run)
            yield chunk.content

    async def _record_chunk(
        self, principal: Principal, job: ExportJobRow, order: ExportOrder, run: Run, chunk: Chunk
    ) -> None:
        body: dict[str, BodyValue] = {
            "format": order.format.value,
            "job": job.id,
            "chunk": chunk.number,
            "rows": chunk.entries,
            "size": job.size,
            "digest": chunk.digest.sha256,
        }
        if order.why and order.query.ref is None:
            # What somebody typed is in the job and the manifest; an entry holds no typed text.
            body["why_sha256"] = hashlib.sha256(order.why.encode()).hexdigest()
        if chunk.number == 0:
            body |= _asked(order.query)
        if chunk.is_last:
            body |= {"sha256": job.sha256, "records": run.tally.records}
        left = ExportChunkRow(
            job=job.id,
            number=chunk.number,
            octets=chunk.digest.octets,
            sha256=bytes.fromhex(chunk.digest.sha256),
        )

        def work(tx: Transaction) -> None:
            about = (order.query.ref or "", order.why)
            self._record(tx, principal, body, chunk.refs, chunk.opened, about)
            tx.rows.put_export(job, left)
            if chunk.number == 0:
                tx.rows.drop_exports(job.created_at - RESUMABLE_FOR, _DROPPED_AT_ONCE)

        await self._committer.run(work)

    def _record(
        self,
        tx: Transaction,
        by: Principal,
        body: dict[str, BodyValue],
        refs: Collection[str] = (),
        opened: frozenset[str] = frozenset(),
        about: tuple[str, str] = ("", ""),
    ) -> None:
        """Write down what is about to leave: it names `refs`, and of `opened` it tells more.

        `about` is the one customer whom it is about, and why; that lies under the customer's key.

        Raises:
            ConflictError: Somebody was erased after being opened: none of it may leave.
        """
        event = msgspec.structs.replace(
            event_by(by, EntryKind.EXPORT, self._clock.now()), body=body
        )
        can_be_named = living(tx.rows.subjects(refs), refs)
        if not opened.issubset(can_be_named):
            raise ConflictError(
                "somebody was forgotten while this file was made: go on with it, or ask for it anew"
            )
        subjects = tuple(
            SubjectPart(customer=ref, reason=about[1] if ref == about[0] else "")
            for ref in can_be_named
        )
        tx.record(NewEntry(kind=EntryKind.EXPORT, event=event, subjects=subjects))

    def _keep_manifest(self, job: ExportJobRow, order: ExportOrder, run: Run) -> None:
        manifest = Manifest(
            origin=self._manifests.signer.verifier.name,
            size=job.size,
            root=job.root.hex(),
            tenant=job.tenant,
            format=order.format.value,
            filter=filter_of(order.query, job.id),
            requested_by=job.requested_by,
            created_at=to_rfc3339(self._clock.now()),
            records=run.tally.records,
            octets=run.tally.octets,
            sha256=job.sha256,
            cells=order.cells.value if order.format is ExportFormat.CSV else "",
            job=job.id,
            why=order.kept_why,
            recipient=order.recipient,
            customers=order.customers,
            population=run.population(),
            chunks=tuple(run.chunks),
        )
        folder = self._folder_of(job.tenant)
        make_folder(self._manifests.folder)
        make_folder(folder)
        replace_file(folder / job.sha256, sign_manifest(manifest, self._manifests.signer))

    def _folder_of(self, tenant: str) -> Path:
        """A folder per tenant: two of them may export equal files. A tenant's name is no path."""
        return self._manifests.folder / hashlib.sha256(tenant.encode()).hexdigest()[:16]

    async def _has_all(self, principal: Principal) -> bool:
        """Whether every entry of the tenant is of the part of the log that is the caller's."""
        _, elsewhere = scoped(principal, LogQuery(tenant=principal.tenant))
        if principal.log_scope is not LogScope.TENANT:
            return False
        if elsewhere is None:
            return True
        found = await self._readers.read(lambda view: view.count(elsewhere, 1))
        return found == LogCount(count=0, is_exact=True)

    async def _tree(self) -> CompactRange:
        def head(view: ReadView) -> tuple[int, tuple[bytes, ...]]:
            return view.head()

        return CompactRange(*await self._readers.read(head))


def _own(principal: Principal, order: ExportOrder) -> LogQuery:
    """What of an order is the caller's: rows stay in their region."""
    own, _ = scoped(principal, order.query)
    if own is None:
        raise AccessDeniedError("what you ask for is of a region whose details are not yours")
    return own


def _asked(query: LogQuery) -> dict[str, BodyValue]:
    """What was asked for, as the first entry says it; a customer is that entry's subject."""
    return narrowed(query) | ({} if query.agent_id is None else {"about": query.agent_id})


def _require(principal: Principal, tenant: str) -> None:
    if principal.role is not Role.AUDITOR:
        raise AccessDeniedError("an auditor exports the log: ask one")
    if tenant != principal.tenant:
        raise AccessDeniedError("the log of another tenant is that tenant's to read")
