"""What leaves the log: bare rows in bulk for files and mirrors, and how much of each has left.

One narrow statement a chunk and no `Row` round each of them: at hundreds of thousands a second
whatever is made of a row once is made too often.
"""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, bindparam, delete, select

from guard.clock import Micros
from guard.entries import RawEntry, SealedPart, SealedSubject
from guard.rows import ExportChunkRow, ExportJobRow, LogQuery, SinkRow
from guard.store.log_search import filtered
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import (
    detail_event,
    detail_subject,
    entry,
    export_chunk,
    export_job,
    sink,
)

_RANGE = (entry.c.idx >= bindparam("start"), entry.c.idx < bindparam("end"))
_RAW = (
    select(entry.c.idx, entry.c.leaf, detail_event.c.idx, detail_event.c.sealed)
    .outerjoin(
        detail_event,
        (detail_event.c.idx == entry.c.idx) & (detail_event.c.tenant == bindparam("tenant")),
    )
    .where(*_RANGE)
    .order_by(entry.c.idx)
)
_RAW_SUBJECTS = (
    select(detail_subject.c.idx, detail_subject.c.sealed)
    .where(detail_subject.c.idx >= bindparam("start"), detail_subject.c.idx < bindparam("end"))
    .order_by(detail_subject.c.idx, detail_subject.c.position)
)
_SUBJECTS = (
    select(detail_subject.c.idx, detail_subject.c.ref, detail_subject.c.sealed)
    .where(detail_subject.c.idx.in_(bindparam("indexes", expanding=True)))
    .order_by(detail_subject.c.idx, detail_subject.c.position)
)
_JOB = select(export_job).where(export_job.c.id == bindparam("id"))
_CHUNKS = (
    select(export_chunk)
    .where(export_chunk.c.job == bindparam("job"))
    .order_by(export_chunk.c.number)
)
_OLD = (
    select(export_job.c.id)
    .where(export_job.c.created_at < bindparam("before"))
    .order_by(export_job.c.created_at, export_job.c.id)
    .limit(bindparam("most"))
)
_DROP_CHUNKS = delete(export_chunk).where(export_chunk.c.job.in_(bindparam("jobs", expanding=True)))
_DROP_JOBS = delete(export_job).where(export_job.c.id.in_(bindparam("jobs", expanding=True)))
_SINK = select(sink).where(sink.c.name == bindparam("name"))


def _parts(query: LogQuery) -> Select[Any]:
    columns = (
        detail_event.c.idx,
        entry.c.entry_id,
        detail_event.c.kind,
        detail_event.c.epoch,
        detail_event.c.sealed,
    )
    page = select(*columns).join(entry, entry.c.idx == detail_event.c.idx)
    return filtered(page, query).order_by(detail_event.c.idx.desc()).limit(query.limit)


class ExportReads(Session):
    """Reading what leaves."""

    def export_parts(self, query: LogQuery) -> list[SealedPart]:
        """See `ReadView.export_parts`."""
        return self._bare(_parts(query), {})

    def subject_parts(self, indexes: Collection[int]) -> list[SealedSubject]:
        """See `ReadView.subject_parts`."""
        return self._bare(_SUBJECTS, {"indexes": list(indexes)}) if indexes else []

    def raw_entries(self, tenant: str, start: int, end: int) -> list[RawEntry]:
        """See `ReadView.raw_entries`."""
        return self._bare(_RAW, {"tenant": tenant, "start": start, "end": end})

    def raw_subjects(self, start: int, end: int) -> list[tuple[int, bytes | None]]:
        """See `ReadView.raw_subjects`."""
        return self._bare(_RAW_SUBJECTS, {"start": start, "end": end})

    def export_job(self, job_id: str) -> ExportJobRow | None:
        """See `ReadView.export_job`."""
        row = self._first(_JOB, {"id": job_id})
        return None if row is None else ExportJobRow(**values_of(row))

    def export_chunks(self, job_id: str) -> list[ExportChunkRow]:
        """See `ReadView.export_chunks`."""
        return [ExportChunkRow(**values_of(row)) for row in self._all(_CHUNKS, {"job": job_id})]

    def sink(self, name: str) -> SinkRow | None:
        """See `ReadView.sink`."""
        row = self._first(_SINK, {"name": name})
        return None if row is None else SinkRow(**values_of(row))


class ExportWrites(ExportReads, WriteSession):
    """Keeping how much has left."""

    def put_export(self, job: ExportJobRow, chunk: ExportChunkRow) -> None:
        """See `UnitOfWork.put_export`."""
        self._put(export_job, [asdict(job)])
        self._put(export_chunk, [asdict(chunk)])

    def drop_exports(self, before: Micros, limit: int) -> None:
        """See `UnitOfWork.drop_exports`."""
        old = [row.id for row in self._all(_OLD, {"before": before, "most": limit})]
        if old:
            self._write(_DROP_CHUNKS, {"jobs": old})
            self._write(_DROP_JOBS, {"jobs": old})

    def put_sink(self, row: SinkRow) -> None:
        """See `UnitOfWork.put_sink`."""
        self._put(sink, [asdict(row)])
