"""Recertification, on both engines."""

import asyncio

import pytest

from guard.access_review.service import LIFE, class_of
from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from policies.bundle import digest_of, load_bundle
from tests.contracts.guard.backtest.floor import BASE
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND, put_people
from tests.support.policy_bundles import small_files
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def ready(rig: Rig) -> int:
    """People, and an entry that names the policy; a day later."""
    await put_people(rig)
    (ref,) = await rig.customers(1)
    await rig.broker.view(AGENT, rig.asks(ref))
    with rig.store.begin() as rows:
        rows.put_bundle(digest_of(BASE), BASE)
    rig.clock.advance(DAY)
    return rig.clock.now()


async def overdue(rig: Rig) -> set[str]:
    return {s.field_class for s in await rig.access_reviews.status(AUDITOR) if s.is_overdue}


async def test_a_class_is_in_date_once_two_people_agree_and_for_half_a_year(rig: Rig) -> None:
    on = await ready(rig)
    everything = await overdue(rig)
    assert "contact" in everything
    review = await rig.access_reviews.sign(ANALYST, "email", on, "front line only, as it should be")
    assert (review.classes, review.people) == (("contact",), 4)
    assert await overdue(rig) == everything
    agreed = await rig.access_reviews.countersign(SECOND, review.id)
    assert (agreed.signed_by, agreed.countersigned_by) == ("ana", "ben")
    assert await overdue(rig) == everything - {"contact"}
    assert await rig.access_reviews.reviews(AUDITOR) == [agreed]
    rig.clock.advance(LIFE)
    assert "contact" not in await overdue(rig)
    rig.clock.advance(1)
    assert "contact" in await overdue(rig)


async def test_signature_and_countersignature_are_entries_over_what_was_looked_at(rig: Rig) -> None:
    on = await ready(rig)
    review = await rig.access_reviews.sign(ANALYST, "all", on, "looked at")
    await rig.access_reviews.countersign(SECOND, review.id)
    entries = [e.event for e in rig.log() if e.kind is EntryKind.RECERTIFICATION]
    assert [(e.agent, e.body["state"]) for e in entries] == [
        ("ana", "signed"),
        ("ben", "countersigned"),
    ]
    assert {e.body["digest"] for e in entries} == {review.digest}
    assert review.classes == ("contact",)
    again = await rig.access_reviews.sign(ANALYST, "all", on, "looked at again")
    assert again.digest == review.digest


async def test_a_second_person_outside_the_line_is_needed(rig: Rig) -> None:
    on = await ready(rig)
    review = await rig.access_reviews.sign(ANALYST, "email", on, "x")
    for caller in (ANALYST, AUDITOR, AGENT):
        with pytest.raises(AccessDeniedError):
            await rig.access_reviews.countersign(caller, review.id)
    both = await asyncio.gather(
        *(rig.access_reviews.countersign(SECOND, review.id) for _ in range(2)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, ConflictError) for one in both) == 1
    with pytest.raises(NotFoundError):
        await rig.access_reviews.countersign(SECOND, "rev-none")


async def test_what_makes_no_sense_is_refused(rig: Rig) -> None:
    on = await ready(rig)
    with pytest.raises(InvalidRequestError, match="`on`"):
        await rig.access_reviews.sign(ANALYST, "email", on + 1, "x")
    with pytest.raises(InvalidRequestError, match="`statement`"):
        await rig.access_reviews.sign(ANALYST, "email", on, "  ")
    with pytest.raises(NotFoundError, match="nobody could see it"):
        await rig.access_reviews.sign(ANALYST, "shoe_size", on, "x")
    for caller in (AUDITOR, AGENT):
        with pytest.raises(AccessDeniedError):
            await rig.access_reviews.sign(caller, "email", on, "x")
    with pytest.raises(AccessDeniedError):
        await rig.access_reviews.status(AGENT)


async def test_a_field_a_class_and_nothing_are_told_apart() -> None:
    bundle = load_bundle(small_files())
    assert class_of(bundle, "email") == class_of(bundle, "contact") == "contact"
    with pytest.raises(NotFoundError):
        class_of(bundle, "phone")
