"""Filling the blind index from a source, on both engines."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from guard.clock import HOUR
from guard.entries import EntryKind
from guard.errors import SourceError
from guard.identifiers import Identifiers
from guard.in_force import Policies
from guard.indexing import AT_ONCE, DEAD, PAGE, Indexing, IndexPage
from guard.rows import RawRecord
from guard.system_reads import SystemReads
from guard.vault.identifiers import NormalForms
from policies.bundle import load_bundle
from tests.support.makers import TENANT
from tests.support.people import DIRECTORY, make_customer
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio

FORMS = NormalForms(calling_code="34")


@dataclass
class Crm:
    """A source whose customers each have their own e-mail; it keeps count."""

    name: str = "crm"
    changed: dict[str, dict[str, object] | None] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[frozenset[str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        self.asked.append(paths)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)  # the others come in between
        self.at_once -= 1
        if key in self.broken or "all" in self.broken:
            raise SourceError("source `crm` answered with status 500")
        own: dict[str, object] = {"email": f"m{key}@example.com", "phone": f"612 345 {key:>03}"}
        values = self.changed.get(key, own)
        return None if values is None else RawRecord(values)

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return


@dataclass
class Built:
    """A walk over a source, and what it waited for."""

    indexing: Indexing
    lookup: Identifiers
    crm: Crm
    waits: list[float]

    async def run(self, **options: object) -> list[IndexPage]:
        walk: AsyncIterator[IndexPage] = self.indexing.walk(TENANT, **options)  # type: ignore[arg-type] # options of a walk
        return [page async for page in walk]


@pytest.fixture
def built(rig: Rig) -> Built:
    crm, waits = Crm(), list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    indexing = Indexing(
        readers=rig.readers,
        committer=rig.committer,
        reads=SystemReads({"crm": crm}, rig.keyring, deadline_s=20.0),
        keyring=rig.keyring,
        policies=Policies(load_bundle(default_files())),
        clock=rig.clock,
        forms=FORMS,
        sleep=sleep,
    )
    return Built(
        indexing=indexing,
        lookup=Identifiers(rig.readers, rig.keyring, FORMS),
        crm=crm,
        waits=waits,
    )


async def test_every_customer_is_found_afterwards(rig: Rig, built: Built) -> None:
    refs = await rig.customers(PAGE + 5)
    pages = await built.run()
    assert [page.read for page in pages] == [PAGE, 5]
    assert sum(page.indexed["email"] for page in pages) == PAGE + 5
    assert await built.lookup.find(TENANT, "email", "m7@example.com") == (refs[6],)
    assert await built.lookup.find(TENANT, "phone", "+34 612 345 007") == (refs[6],)
    assert set(built.crm.asked) == {
        frozenset({"email", "phone", "iban", "full_name", "birth_date"})
    }


async def test_each_page_is_an_entry_that_names_whose_records_were_read(
    rig: Rig, built: Built
) -> None:
    refs = await rig.customers(3)
    await built.run()
    (entry,) = (e for e in rig.log() if e.kind is EntryKind.CUSTOMER)
    assert entry.event.agent == "system"
    assert sorted(entry.refs) == sorted(refs)
    assert entry.event.body == {
        "index": True,
        "read": 3,
        "identifiers": {"email": 3, "phone": 3},
        "gone": 0,
        "erased": 0,
        "unusable": 0,
        "failed": 0,
    }


async def test_a_changed_address_stops_finding_its_customer(rig: Rig, built: Built) -> None:
    (ref,) = await rig.customers(1)
    await built.run()
    built.crm.changed["1"] = {"email": "new@example.com", "phone": None, "iban": "half an iban"}
    (page,) = await built.run()
    assert (page.indexed, page.unusable) == ({"email": 1}, 1)
    assert await built.lookup.find(TENANT, "email", "m1@example.com") == ()
    assert await built.lookup.find(TENANT, "phone", "612 345 001") == ()
    assert await built.lookup.find(TENANT, "email", "new@example.com") == (ref,)


async def test_a_changed_name_finds_its_customer_and_the_old_one_does_not(
    rig: Rig, built: Built
) -> None:
    old, new = "Maria Gonzalez 1984-03-09", "Maria Ruiz 1984-03-09"
    customer = replace(make_customer("1"), identifiers=(("name_birth_date", old),))
    (ref,) = (await rig.enrolment.enrol(DIRECTORY, [customer])).values()
    built.crm.changed["1"] = {"full_name": "María Ruiz", "birth_date": "1984-03-09"}
    (page,) = await built.run()
    assert (page.indexed, page.unusable) == ({"name_birth_date": 1}, 0)
    assert await built.lookup.find(TENANT, "name_birth_date", new) == (ref,)
    assert await built.lookup.find(TENANT, "name_birth_date", old) == ()
    built.crm.changed["1"] = {"full_name": "María Ruiz", "birth_date": "9 March"}
    (page,) = await built.run()
    assert (page.indexed, page.unusable) == ({}, 1)
    assert await built.lookup.find(TENANT, "name_birth_date", new) == ()


async def test_what_the_source_does_not_hold_is_left_to_enrolment(rig: Rig, built: Built) -> None:
    named = ("name_birth_date", "Maria Gonzalez 1984-03-09")
    account = ("account", "CUST-0017")
    customer = replace(make_customer("1"), identifiers=(named, account, ("email", "x@example.com")))
    (ref,) = (await rig.enrolment.enrol(DIRECTORY, [customer])).values()
    await built.run()
    for kind, value in (named, account, ("email", "m1@example.com")):
        assert await built.lookup.find(TENANT, kind, value) == (ref,)
    assert await built.lookup.find(TENANT, "email", "x@example.com") == ()


async def test_who_is_gone_from_the_source_is_found_no_more(rig: Rig, built: Built) -> None:
    await rig.customers(2)
    await built.run()
    built.crm.changed["1"] = None
    (page,) = await built.run()
    assert (page.read, page.gone) == (2, 1)
    assert await built.lookup.find(TENANT, "email", "m1@example.com") == ()
    assert await built.lookup.find(TENANT, "email", "m2@example.com") != ()


async def test_a_customer_who_cannot_be_read_keeps_what_was_known(rig: Rig, built: Built) -> None:
    (ref, _) = await rig.customers(2)
    await built.run()
    built.crm.broken.add("1")
    (page,) = await built.run()
    assert (page.read, page.failed) == (2, 1)
    assert await built.lookup.find(TENANT, "email", "m1@example.com") == (ref,)


async def test_a_source_that_answers_nothing_ends_the_walk_with_an_entry(
    rig: Rig, built: Built
) -> None:
    await rig.customers(DEAD)
    built.crm.broken.add("all")
    with pytest.raises(SourceError, match="start again from here"):
        await built.run()
    (entry,) = (e for e in rig.log() if e.kind is EntryKind.CUSTOMER)
    assert (entry.event.body["failed"], len(entry.refs)) == (DEAD, DEAD)


async def test_a_walk_that_is_broken_off_leaves_an_entry_of_what_was_asked(
    rig: Rig, built: Built
) -> None:
    await rig.customers(2)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    built.indexing._blind = broken  # type: ignore[method-assign,assignment] # noqa: SLF001 - nothing real fails there
    with pytest.raises(ExceptionGroup):
        await built.run()
    (entry,) = (e for e in rig.log() if e.kind is EntryKind.CUSTOMER)
    assert (entry.event.body["read"], entry.event.body["identifiers"]) == (2, {})


async def test_a_walk_goes_on_behind_a_reference(rig: Rig, built: Built) -> None:
    refs = sorted(await rig.customers(4))
    (page,) = await built.run(after=refs[2])
    assert (page.read, page.after) == (1, refs[3])
    assert await built.run(after=page.after) == []


async def test_since_reads_only_who_was_touched_or_never_indexed(rig: Rig, built: Built) -> None:
    refs = await rig.customers(3)
    await built.run()
    rig.clock.advance(HOUR)
    since = rig.clock.now()
    await rig.case(refs[1])
    late = (await rig.enrolment.enrol(DIRECTORY, [make_customer("9")]))["crm", "9"]
    built.crm.asked.clear()
    (page,) = await built.run(since=since)
    assert page.read == len(built.crm.asked) == 2
    assert await built.lookup.find(TENANT, "email", "m9@example.com") == (late,)


async def test_an_erased_customer_is_not_read_and_not_found(rig: Rig, built: Built) -> None:
    customer = replace(make_customer("1"), identifiers=(("email", "m1@example.com"),))
    (ref,) = (await rig.enrolment.enrol(DIRECTORY, [customer])).values()
    (subject,) = (await built.indexing._page(TENANT, "", None),)  # noqa: SLF001 - a row to change
    done = await built.indexing._index(  # noqa: SLF001 - as after an erasure
        TENANT, [replace(subject[0], wrapped_key=None)]
    )
    assert (done.read, done.erased, done.after) == (0, 1, ref)
    assert built.crm.asked == []
    assert await built.lookup.find(TENANT, "email", "m1@example.com") == ()


async def test_the_source_is_asked_a_few_at_a_time_and_no_faster_than_it_likes(
    rig: Rig, built: Built
) -> None:
    await rig.customers(30)
    await built.run(rate=10.0)
    assert 1 < built.crm.most_at_once <= AT_ONCE
    (wait,) = built.waits
    assert 2.0 < wait <= 3.0
