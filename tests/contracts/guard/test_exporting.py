"""Files of the log on both engines: each entry once, recorded before it leaves, gone on with."""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from guard.clock import DAY
from guard.entries import EntryKind, OpenedEntry
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ProofError,
)
from guard.exporting import Download
from guard.exports import ExportFormat, run
from guard.exports.manifest import Manifest, check_file
from guard.exports.order import ExportOrder
from guard.exports.raw_blocks import check_blocks, parse_blocks
from guard.ledger.merkle import leaf_hash
from guard.principals import LogScope
from guard.rows import LogQuery
from policies.model import Role
from tests.support.forgetting import Oblivion
from tests.support.makers import NOON, TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR
from tests.support.rig import Rig
from tests.unit.guard.exports.reading import READERS

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK", 4)


async def filled(rig: Rig, views: int = 6) -> list[str]:
    refs = await rig.customers(3)
    cases = [await rig.case(ref) for ref in refs]
    for n in range(views):
        await rig.broker.view(AGENT, rig.asks(refs[n % 3], cases[n % 3]))
    return refs


def order(fmt: ExportFormat = ExportFormat.NDJSON, **query: Any) -> ExportOrder:  # noqa: ANN401 - any field
    return ExportOrder(format=fmt, query=replace(LogQuery(tenant=TENANT), **query))


async def all_of(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def manifest_of(rig: Rig, content: bytes) -> Manifest:
    note = await rig.exports.manifest(AUDITOR, hashlib.sha256(content).hexdigest())
    return msgspec.json.decode(note.splitlines()[1], type=Manifest)


def exports(rig: Rig) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is EntryKind.EXPORT]


@pytest.mark.parametrize("fmt", list(ExportFormat))
async def test_an_export_holds_each_entry_once_and_its_manifest_fits(
    rig: Rig, fmt: ExportFormat
) -> None:
    if fmt is ExportFormat.PARQUET:
        pytest.importorskip("pyarrow")
    await filled(rig)
    before = [e for e in rig.log() if e.event.tenant == TENANT]
    content = await all_of((await rig.exports.export(AUDITOR, order(fmt))).pieces)
    told = READERS[fmt](content)
    looks = {EntryKind.VIEW} if fmt is ExportFormat.OCSF else set(EntryKind)
    expected = [e for e in reversed(before) if e.kind in looks]
    assert [(t.index, t.customers) for t in told] == [(e.index, e.refs) for e in expected]
    manifest = await manifest_of(rig, content)
    check_file(manifest, [content])
    assert manifest.population is not None
    assert manifest.population.entries == len(before)


async def test_every_chunk_is_an_entry_with_its_customers_before_it_leaves(rig: Rig) -> None:
    await filled(rig)
    download = await rig.exports.export(AUDITOR, order())
    number = 0
    async for piece in download.pieces:
        entry = exports(rig)[-1]
        named = {ref for told in READERS[ExportFormat.NDJSON](piece) for ref in told.customers}
        assert set(entry.refs) == named
        assert entry.event.body["chunk"] == number
        assert entry.event.body["digest"] == hashlib.sha256(piece).hexdigest()
        number += 1
    assert number > 3
    assert exports(rig)[-1].event.body["sha256"]


async def test_what_a_filter_leaves_out_is_committed_to(rig: Rig) -> None:
    refs = await filled(rig)
    size = len(rig.log())
    asked = order(ref=refs[0], kinds=(EntryKind.VIEW,))
    content = await all_of((await rig.exports.export(AUDITOR, asked)).pieces)
    told = READERS[ExportFormat.NDJSON](content)
    assert len(told) == 2
    population = (await manifest_of(rig, content)).population
    assert population is not None
    assert (population.entries, population.omitted) == (2, size - 2)
    assert (population.kinds, population.vendors) == ({"view": 2}, {"vend": 2})
    assert (population.last_index, population.first_index) == (told[0].index, told[-1].index)
    with rig.store.read() as view:
        leaves = [leaf_hash(entry.leaf) for entry in view.entries(0, size)]
    omitted = [leaf for n, leaf in enumerate(leaves) if n not in {t.index for t in told}]
    assert population.omitted_sha256 == hashlib.sha256(b"".join(omitted[::-1])).hexdigest()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"link": "owner"}, 6),
        ({"link": "none"}, 0),
        ({"field": "{cls}"}, 6),
        ({"field": "{cls}", "is_clear": True}, 6),
        ({"is_clear": True}, 6),
        ({"field": "nonsense"}, 0),
    ],
)
async def test_a_file_is_narrowed_as_a_question_is(
    rig: Rig, asked: dict[str, Any], expected: int
) -> None:
    await filled(rig)
    view = next(e for e in rig.log() if e.kind is EntryKind.VIEW)
    cls = next(cls for cls, form in view.event.classes.items() if form == "plain")
    asked = {k: v.format(cls=cls) if k == "field" else v for k, v in asked.items()}
    query = order(kinds=(EntryKind.VIEW,), **asked)
    content = await all_of((await rig.exports.export(AUDITOR, query)).pieces)
    assert len(READERS[ExportFormat.NDJSON](content)) == expected
    page = await rig.auditing.views(AUDITOR, replace(query.query, limit=100), "a check")
    assert len(page.entries) == expected


async def test_without_customers_nobody_is_named_or_listed(rig: Rig) -> None:
    refs = await filled(rig)
    asked = replace(order(), customers=False)
    content = await all_of((await rig.exports.export(AUDITOR, asked)).pieces)
    assert not any(ref.encode() in content for ref in refs)
    assert {entry.refs for entry in exports(rig)} == {()}
    assert not (await manifest_of(rig, content)).customers


async def broken_off(download: Download, chunks: int) -> bytes:
    return b"".join([await anext(download.pieces) for _ in range(chunks)])


async def test_a_broken_download_goes_on_at_a_boundary_and_is_one_file(rig: Rig) -> None:
    await filled(rig)
    whole = await all_of((await rig.exports.export(AUDITOR, order())).pieces)
    size = len(rig.log())
    download = await rig.exports.export(AUDITOR, order(until=None))
    part = await broken_off(download, 3)
    sent = len(exports(rig))
    await filled(rig, 2)
    torn = part[:-7]
    rest = await rig.exports.resume(AUDITOR, download.job, len(torn))
    assert 0 < rest.offset < len(torn)
    content = part[: rest.offset] + await all_of(rest.pieces)
    manifest = await manifest_of(rig, content)
    check_file(manifest, [content])
    assert manifest.size == size
    assert content.endswith(whole)
    # The third chunk left twice and is there twice; the first two are there once.
    numbers = [
        e.event.body["chunk"]
        for e in exports(rig)[sent - 3 :]
        if e.event.body.get("job") == download.job
    ]
    assert numbers[:4] == [0, 1, 2, 2]
    done = await rig.exports.progress(AUDITOR, download.job)
    assert (done.before, done.octets, done.sha256) == (0, len(content), manifest.sha256)
    nothing = await rig.exports.resume(AUDITOR, download.job, len(content))
    assert (nothing.offset, await all_of(nothing.pieces)) == (len(content), b"")


async def test_what_has_changed_since_is_not_gone_on_with(rig: Rig, store_url: str) -> None:
    await filled(rig)
    download = await rig.exports.export(AUDITOR, order())
    part = await broken_off(download, 3)
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("update subject set wrapped_key = null"))
    engine.dispose()
    rest = await rig.exports.resume(AUDITOR, download.job, len(part))
    with pytest.raises(ConflictError):
        await all_of(rest.pieces)


async def test_who_is_erased_before_a_chunk_is_recorded_does_not_leave_opened(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = await filled(rig)
    download = await rig.exports.export(AUDITOR, order(kinds=(EntryKind.VIEW,)))
    Oblivion.over(rig, tmp_path).forget_after_reading(monkeypatch, refs[0])
    before = len(exports(rig))
    with pytest.raises(ConflictError, match="forgotten"):
        await all_of(download.pieces)
    assert len(exports(rig)) == before
    # Who was erased before stays a row of the next file, without what was said of them.
    content = await all_of(
        (await rig.exports.export(AUDITOR, order(kinds=(EntryKind.VIEW,)))).pieces
    )
    assert refs[0].encode() in content
    assert all(refs[0] not in entry.refs for entry in exports(rig)[before:])


async def test_an_export_is_its_requesters_own_and_does_not_wait_for_ever(rig: Rig) -> None:
    await filled(rig)
    download = await rig.exports.export(AUDITOR, order())
    await broken_off(download, 1)
    for who in (replace(AUDITOR, id="another"), replace(AUDITOR, tenant="other")):
        with pytest.raises(NotFoundError):
            await rig.exports.resume(who, download.job, 0)
    with pytest.raises(NotFoundError):
        await rig.exports.progress(AUDITOR, "0" * 32)
    rig.clock.advance(8 * DAY)
    with pytest.raises(ConflictError):
        await rig.exports.resume(AUDITOR, download.job, 0)


async def test_who_may_export_and_why(rig: Rig) -> None:
    await filled(rig)
    for caller in (AGENT, ANALYST, replace(AUDITOR, role=Role.ADMIN)):
        with pytest.raises(AccessDeniedError):
            await rig.exports.export(caller, order())
        with pytest.raises(AccessDeniedError):
            await rig.exports.manifest(caller, "0" * 64)
        with pytest.raises(AccessDeniedError):
            await rig.exports.raw(caller)
    with pytest.raises(AccessDeniedError):
        await rig.exports.export(AUDITOR, replace(order(), query=LogQuery(tenant="other")))
    for wrong in (
        replace(order(), recipient="an auditing firm", why="audit"),
        replace(order(), why="x" * 501),
        replace(order(ref="c1"), customers=False),
    ):
        with pytest.raises(InvalidRequestError):
            await rig.exports.export(AUDITOR, wrong)
    asked = replace(order(), recipient="an auditing firm", why="the audit of this year")
    content = await all_of((await rig.exports.export(AUDITOR, asked)).pieces)
    manifest = await manifest_of(rig, content)
    assert (manifest.recipient, manifest.why) == ("an auditing firm", "the audit of this year")
    digest = hashlib.sha256(asked.why.encode()).hexdigest()
    assert {entry.event.body["why_sha256"] for entry in exports(rig)} == {digest}


async def test_why_a_file_is_about_a_customer_is_erased_with_the_customer(
    rig: Rig, tmp_path: Path
) -> None:
    refs = await filled(rig)
    asked = replace(order(ref=refs[0]), why="a complaint of CANARY")
    download = await rig.exports.export(AUDITOR, asked)
    content = await all_of(download.pieces)
    first = exports(rig)[0]
    assert [part and part.reason for part in first.subjects] == ["a complaint of CANARY"]
    manifest = await manifest_of(rig, content)
    assert (manifest.why, manifest.job) == ("", download.job)
    named = hashlib.sha256(f"{download.job}:{refs[0]}".encode()).hexdigest()
    assert manifest.filter["customer"] == named
    await Oblivion.over(rig, tmp_path).forget(refs[0])
    assert "CANARY" not in repr(exports(rig))
    job = await rig.exports.progress(AUDITOR, download.job)
    assert "CANARY" not in job.order
    note = (await rig.exports.manifest(AUDITOR, manifest.sha256)).decode()
    assert "CANARY" not in note
    assert refs[0] not in note


async def test_a_job_is_dropped_once_it_cannot_be_gone_on_with(rig: Rig) -> None:
    await filled(rig)
    old = await rig.exports.export(AUDITOR, order())
    await all_of(old.pieces)
    rig.clock.advance(8 * DAY)
    new = await rig.exports.export(AUDITOR, order())
    await all_of(new.pieces)
    with pytest.raises(NotFoundError):
        await rig.exports.progress(AUDITOR, old.job)
    assert (await rig.exports.progress(AUDITOR, new.job)).sha256


async def test_the_first_entry_says_what_was_asked_for(rig: Rig) -> None:
    await filled(rig)
    before = len(exports(rig))
    asked = replace(order(agent_id=AGENT.id, vendor="vend", since=NOON), why="a check")
    await all_of((await rig.exports.export(AUDITOR, asked)).pieces)
    first, *others = [entry.event.body for entry in exports(rig)[before:]]
    assert (first["about"], first["vendor"], first["since"]) == (AGENT.id, "vend", NOON)
    assert others
    assert not any("about" in body for body in others)


async def test_a_manifest_is_its_requesters_or_of_who_has_the_whole_log(rig: Rig) -> None:
    await filled(rig)
    content = await all_of((await rig.exports.export(AUDITOR, order())).pieces)
    digest = hashlib.sha256(content).hexdigest()
    whole = replace(AUDITOR, id="another")
    for who in (AUDITOR, whole):
        await rig.exports.manifest(who, digest)
        entry = rig.log()[-1]
        assert (entry.kind, entry.event.agent) == (EntryKind.AUDIT_QUERY, who.id)
        assert entry.event.body == {"manifest": digest}
    size = len(rig.log())
    for part in (
        replace(whole, log_scope=LogScope.TEAM, team="team-1"),
        replace(whole, log_scope=LogScope.REGION, region="eu"),
        replace(whole, region="elsewhere"),
    ):
        with pytest.raises(AccessDeniedError):
            await rig.exports.manifest(part, digest)
        with pytest.raises(AccessDeniedError):
            await rig.exports.raw(part)
    assert len(rig.log()) == size
    # Who is bound to the only region that there is has the whole log.
    home = replace(whole, region=AGENT.region)
    await rig.exports.manifest(home, digest)
    await all_of(await rig.exports.raw(home))


async def test_a_manifest_is_its_tenants_own(rig: Rig) -> None:
    await filled(rig)
    content = await all_of((await rig.exports.export(AUDITOR, order())).pieces)
    digest = hashlib.sha256(content).hexdigest()
    with pytest.raises(NotFoundError):
        await rig.exports.manifest(replace(AUDITOR, tenant="other"), digest)
    for name in ("0" * 64, "../high-water"):
        with pytest.raises(NotFoundError):
            await rig.exports.manifest(AUDITOR, name)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ("update detail_event set agent = 'somebody' where agent = 'a1'", {"agent_id": "somebody"}),
        ("update detail_event set kind = 17 where kind = 16", {"kinds": (EntryKind.REFUSAL,)}),
        ("update detail_event set at = at + 1000000000000", {"since": NOON + 900_000_000_000}),
        ("update detail_event set sealed = null where kind = 16", {}),
        ("update detail_event set link = 'none' where kind = 16", {"link": "none"}),
        ("update detail_event set shown = 'bank=plain' where kind = 16", {"field": "bank"}),
        (
            "update detail_event set shown = 'bank=plain' where kind = 16",
            {"field": "bank", "is_clear": True},
        ),
        ("update detail_subject set sealed = null", {}),
    ],
)
async def test_what_was_edited_does_not_leave(
    rig: Rig, store_url: str, change: str, asked: dict[str, Any]
) -> None:
    await filled(rig)
    rig.log()
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(sa.text(change))
    engine.dispose()
    download = await rig.exports.export(AUDITOR, replace(order(**asked), why="a check"))
    with pytest.raises(ProofError):
        await all_of(download.pieces)


async def test_a_mirror_holds_the_whole_tree_and_opens_nothing(rig: Rig) -> None:
    refs = await filled(rig)
    size = len(rig.log())
    content = await all_of(await rig.exports.raw(AUDITOR))
    tree = check_blocks(parse_blocks(io.BytesIO(content)))
    with rig.store.read() as view:
        rebuilt = [leaf_hash(entry.leaf) for entry in view.entries(0, size)]
    assert (tree.size, len(rebuilt)) == (size, size)
    assert not any(ref.encode() in content for ref in refs)
    held = list(parse_blocks(io.BytesIO(content)))
    assert {h.index for h in held if h.parts} == {
        e.index for e in rig.log()[:size] if e.event.tenant == TENANT
    }
    some = await all_of(await rig.exports.raw(AUDITOR, 2, 5))
    assert [h.index for h in parse_blocks(io.BytesIO(some))] == [2, 3, 4]
    assert exports(rig)[-1].event.body["format"] == "raw"
    with pytest.raises(InvalidRequestError):
        await rig.exports.raw(AUDITOR, 5, 2)


@pytest.mark.parametrize("column", ["leaf", "part"])
async def test_a_mirror_finds_what_was_changed(rig: Rig, column: str) -> None:
    await filled(rig)
    content = await all_of(await rig.exports.raw(AUDITOR))
    held = next(h for h in parse_blocks(io.BytesIO(content)) if len(h.parts) == 2)
    target = held.leaf[-8:] if column == "leaf" else (held.parts[1] or b"")[:8]
    changed = content.replace(target, bytes(8))
    with pytest.raises(ProofError) as caught:
        check_blocks(parse_blocks(io.BytesIO(changed)))
    assert caught.value.index == held.index
