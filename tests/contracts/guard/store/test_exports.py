"""What is kept of files and sinks, on both engines."""

from dataclasses import replace

from guard.rows import ExportChunkRow, ExportJobRow, SinkRow
from guard.store import SqlStore

JOB = ExportJobRow(
    id="j",
    tenant="acme",
    requested_by="aud",
    order="{}",
    size=9,
    root=bytes(32),
    created_at=1,
    before=9,
)


def test_a_job_and_its_chunks_are_kept(store: SqlStore) -> None:
    chunks = [ExportChunkRow(job="j", number=n, octets=n, sha256=bytes(32)) for n in (0, 1)]
    with store.begin() as rows:
        rows.put_export(JOB, chunks[0])
        rows.put_export(replace(JOB, before=3, chunks=2), chunks[1])
        rows.put_export(replace(JOB, before=3, chunks=2), chunks[1])
    with store.read() as view:
        assert view.export_job("j") == replace(JOB, before=3, chunks=2)
        assert view.export_chunks("j") == chunks
        assert view.export_job("none") is None
        assert view.subject_parts([]) == []


def test_a_sink_keeps_its_position(store: SqlStore) -> None:
    row = SinkRow(name="siem", digest="d", position=-1, holder="p", held_until=5)
    with store.begin() as rows:
        rows.put_sink(row)
        rows.put_sink(replace(row, position=7))
    with store.read() as view:
        assert view.sink("siem") == replace(row, position=7)
        assert view.sink("none") is None
