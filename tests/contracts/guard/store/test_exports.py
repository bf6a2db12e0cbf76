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


def test_old_jobs_are_dropped_with_their_chunks_a_few_at_a_time(store: SqlStore) -> None:
    with store.begin() as rows:
        for n in range(4):
            job = replace(JOB, id=f"j{n}", created_at=n)
            rows.put_export(job, ExportChunkRow(job=job.id, number=0, octets=1, sha256=bytes(32)))
    for dropped in (["j0", "j1"], ["j0", "j1", "j2"], ["j0", "j1", "j2"]):
        with store.begin() as rows:
            rows.drop_exports(3, 2)
        with store.read() as view:
            gone = [f"j{n}" for n in range(4) if view.export_job(f"j{n}") is None]
            assert gone == [f"j{n}" for n in range(4) if not view.export_chunks(f"j{n}")]
        assert gone == dropped


def test_a_sink_keeps_its_position(store: SqlStore) -> None:
    row = SinkRow(name="siem", digest="d", position=-1, holder="p", held_until=5)
    with store.begin() as rows:
        rows.put_sink(row)
        rows.put_sink(replace(row, position=7))
    with store.read() as view:
        assert view.sink("siem") == replace(row, position=7)
        assert view.sink("none") is None
