"""Finding a customer by exactly what they say of themselves, on both engines."""

from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.identifiers import Identifiers
from guard.vault.identifiers import NormalForms
from tests.support.makers import TENANT
from tests.support.people import DIRECTORY, make_customer
from tests.support.rig import Rig
from tests.support.statements import counted

pytestmark = pytest.mark.anyio

MARIA = (
    ("email", "Maria.Gonzalez@example.com"),
    ("phone", "+34 612 345 678"),
    ("account", "ES91 2100 0418 4502 0005 1332"),
    ("name_birth_date", "María Gonzalez 1984-03-09"),
)


@pytest.fixture
def lookup(rig: Rig) -> Identifiers:
    return Identifiers(rig.readers, rig.keyring, NormalForms(calling_code="34"))


async def enrol(rig: Rig, key: str, *identifiers: tuple[str, str]) -> str:
    customer = replace(make_customer(key), identifiers=identifiers)
    return (await rig.enrolment.enrol(DIRECTORY, [customer]))["crm", key]


async def test_a_customer_is_found_by_any_whole_identifier(rig: Rig, lookup: Identifiers) -> None:
    ref = await enrol(rig, "1", *MARIA)
    for kind, value in MARIA:
        assert await lookup.find(TENANT, kind, value.upper()) == (ref,)
    assert await lookup.find(TENANT, "phone", "612345678") == (ref,)


async def test_no_part_of_an_identifier_finds_anybody(rig: Rig, lookup: Identifiers) -> None:
    await enrol(rig, "1", *MARIA)
    for kind, value in (
        ("email", "aria.gonzalez@example.com"),
        ("email", "maria.gonzalez@example.co"),
        ("phone", "+34 612 345 67"),
        ("account", "ES91"),
        ("account", "51332"),
        ("name_birth_date", "Maria 1984-03-09"),
        ("name_birth_date", "Maria Gonzalez 1984-03-10"),
    ):
        assert await lookup.find(TENANT, kind, value) == ()
    for pattern in ("%@example.com", "maria*@example.com", "maria_gonzalez@%.com"):
        assert await lookup.find(TENANT, "email", pattern) == ()


async def test_another_tenant_finds_nothing(rig: Rig, lookup: Identifiers) -> None:
    await enrol(rig, "1", *MARIA)
    assert await lookup.find("globex", "email", "maria.gonzalez@example.com") == ()


async def test_enrolling_again_replaces_what_a_customer_is_found_by(
    rig: Rig, lookup: Identifiers
) -> None:
    ref = await enrol(rig, "1", *MARIA)
    assert await enrol(rig, "1", ("email", "m.ruiz@example.com")) == ref
    assert await lookup.find(TENANT, "email", "m.ruiz@example.com") == (ref,)
    for kind, value in MARIA:
        assert await lookup.find(TENANT, kind, value) == ()
    with rig.store.read() as view:
        assert [row.kind for row in view.identifiers_of(TENANT, ref)] == ["email"]


async def test_who_says_nothing_of_identifiers_changes_none(rig: Rig, lookup: Identifiers) -> None:
    ref = await enrol(rig, "1", *MARIA)
    await rig.enrolment.enrol(DIRECTORY, [make_customer("1")])
    assert await lookup.find(TENANT, *MARIA[0]) == (ref,)
    await enrol(rig, "1")
    assert await lookup.find(TENANT, *MARIA[0]) == ()


async def test_two_customers_who_claim_one_address_are_both_named_and_never_more(
    rig: Rig, lookup: Identifiers
) -> None:
    refs = [await enrol(rig, key, MARIA[0]) for key in ("1", "2", "3")]
    found = await lookup.find(TENANT, *MARIA[0])
    assert found == tuple(sorted(refs)[:2])


async def test_a_hit_and_a_miss_take_the_same_reads(rig: Rig, lookup: Identifiers) -> None:
    await enrol(rig, "1", *MARIA)
    await lookup.find(TENANT, *MARIA[0])
    with counted() as hit:
        await lookup.find(TENANT, *MARIA[0])
    with counted() as miss:
        await lookup.find(TENANT, "email", "nobody@example.com")
    assert hit == miss
    assert sum("identifier" in statement for statement in hit) == 1


async def test_an_entry_says_how_many_and_never_which(rig: Rig) -> None:
    ref = await enrol(rig, "1", *MARIA)
    before = len(rig.log())
    await enrol(rig, "1", *MARIA)
    assert len(rig.log()) == before
    (entry,) = (e for e in rig.log() if e.kind is EntryKind.CUSTOMER)
    assert entry.refs == (ref,)
    assert entry.event.agent == DIRECTORY.id
    assert entry.event.body == {
        "region": "eu",
        "tier": "standard",
        "identifiers": {"account": 1, "email": 1, "name_birth_date": 1, "phone": 1},
    }


async def test_an_identifier_that_is_none_enrols_nobody(rig: Rig) -> None:
    with pytest.raises(InvalidRequestError):
        await enrol(rig, "1", ("email", "maria"))
    with pytest.raises(InvalidRequestError, match="at most 16"):
        await enrol(rig, "1", *[("account", f"{n:06}") for n in range(17)])
    with rig.store.read() as view:
        assert view.subjects_after(TENANT, "", 10) == []
