"""A fetch that goes wrong, on both engines."""

import asyncio
from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import (
    NotFoundError,
    SourceError,
)
from guard.rows import RawRecord
from tests.support.people import AGENT, DIRECTORY, make_customer
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_failing_source_leaves_an_entry_and_no_charge(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await rig.source.close()
    with pytest.raises(SourceError):
        await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    last = rig.log()[-1]
    assert (last.kind, last.event.reasons) == (EntryKind.FAILED, ("SourceError",))
    assert all(b.used == 0 for b in await rig.broker.quota(AGENT))


async def test_a_record_that_is_gone_leaves_an_entry(rig: Rig) -> None:
    (ref,) = (await rig.enrolment.enrol(DIRECTORY, [make_customer("no-such-row")])).values()
    with pytest.raises(NotFoundError):
        await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert rig.log()[-1].kind is EntryKind.FAILED


async def test_a_source_that_is_not_configured_shows_nothing(rig: Rig) -> None:
    (ref,) = (
        await rig.enrolment.enrol(DIRECTORY, [replace(make_customer("1"), source="billing")])
    ).values()
    with pytest.raises(SourceError):
        await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))


async def test_a_cancelled_caller_leaves_an_entry_about_what_was_fetched(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ref,) = await rig.customers(1)
    asked = rig.asks(ref, await rig.case(ref))
    fetched = asyncio.Event()

    async def slow(_key: str, _paths: frozenset[str]) -> RawRecord | None:
        fetched.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(rig.source, "fetch", slow)
    task = asyncio.create_task(rig.broker.view(AGENT, asked))
    async with asyncio.timeout(20):
        await fetched.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    last = rig.log()[-1]
    assert (last.kind, last.event.reasons) == (EntryKind.FAILED, ("CancelledError",))
