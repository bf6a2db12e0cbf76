"""Customers become known, on both engines."""

import pytest

from guard.entries import EntryKind
from guard.errors import (
    InvalidRequestError,
)
from policies.model import Tier
from tests.support.makers import TENANT
from tests.support.people import DIRECTORY, make_customer
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_one_key_has_one_reference_and_shows_nothing_of_it(rig: Rig) -> None:
    first = await rig.enrolment.enrol(DIRECTORY, [make_customer("17"), make_customer("17")])
    second = await rig.enrolment.enrol(DIRECTORY, [make_customer("17")])
    assert first == second
    assert "17" not in first["crm", "17"] or len(first["crm", "17"]) > 16


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00b"])
async def test_keys_that_can_name_nobody_are_refused(rig: Rig, key: str) -> None:
    with pytest.raises(InvalidRequestError):
        await rig.enrolment.enrol(DIRECTORY, [make_customer(key)])


async def test_who_enrols_a_known_customer_says_how_it_is_protected(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await rig.case(ref)
    await rig.customers(1, tier=Tier.VIP, region="us")
    with rig.store.read() as view:
        row = view.subject(TENANT, ref)
    assert row is not None
    assert (row.tier, row.region) == (Tier.VIP, "us")
    changes = [e for e in rig.log() if e.kind is EntryKind.CUSTOMER]
    assert [(e.refs, e.event.body["tier"]) for e in changes] == [((ref,), "vip")]
