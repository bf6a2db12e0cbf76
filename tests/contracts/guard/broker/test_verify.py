"""Yes or no about one field, with few tries for the agent and for the customer."""

import asyncio
from dataclasses import replace

import pytest

from guard.clock import MINUTE
from guard.entries import EntryKind
from guard.errors import SourceError
from guard.purposes.explanation import GRACE
from guard.views import NextStep, RefusalCode, Refused, Verified, VerifyRequest
from policies.model import Mode
from tests.support.people import AGENT, ANALYST, SECOND, put_people
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def claim(rig: Rig, said: str = "5678") -> VerifyRequest:
    (ref,) = await rig.customers(1)
    return VerifyRequest(
        customer=ref,
        field="phone",
        part="last4",
        claim=said,
        purpose="support_case",
        case=await rig.case(ref),
    )


@pytest.mark.parametrize(("said", "matches"), [("5678", True), ("1234", False), ("8", False)])
async def test_a_claim_is_answered_by_yes_or_no_and_logged_before(
    acts: Rig, said: str, *, matches: bool
) -> None:
    asked = await claim(acts, said)
    answer = await acts.broker.verify(AGENT, asked)
    assert isinstance(answer, Verified)
    assert answer.matches is matches
    entry = acts.entry(answer.receipt)
    assert (entry.kind, entry.event.act) == (EntryKind.VERIFICATION, "verify")
    assert entry.event.body == {
        "case": asked.case,
        "on_shift": True,
        "field": "phone",
        "part": "last4",
        "matched": matches,
    }
    assert "claim" not in str(entry)
    assert f"claim={said!r}" not in repr(asked)


async def test_32_tries_at_once_on_a_customers_budget_of_5_are_exactly_5(acts: Rig) -> None:
    asked = await claim(acts)
    people = [make_caller(f"a{n % 8}") for n in range(32)]
    answers = await asyncio.gather(
        *(acts.broker.verify(who, replace(asked, case=None)) for who in people)
    )
    assert sum(isinstance(a, Verified) for a in answers) == 5
    refused = [a for a in answers if isinstance(a, Refused)]
    assert {a.code for a in refused} == {RefusalCode.QUOTA}
    # What others have spent on this customer is told to nobody.
    assert {(a.exceeded, a.retry_at) for a in refused} == {((), None)}
    assert all("tries-of-customer" not in str(a) for a in answers)
    assert all(a.steps for a in refused)
    kinds = [e.kind for e in acts.log()]
    assert kinds.count(EntryKind.VERIFICATION) == 5
    assert kinds.count(EntryKind.REFUSAL) == 27


async def test_the_case_of_a_caller_is_bound_without_a_click(acts: Rig) -> None:
    asked = await claim(acts)
    answer = await acts.broker.verify(AGENT, replace(asked, case=None))
    assert isinstance(answer, Verified)
    entry = acts.entry(answer.receipt)
    (part,) = entry.subjects
    assert part is not None
    assert (entry.event.link, part.case) == ("owner", asked.case)


async def test_without_a_case_there_is_a_grace_that_ends_and_a_late_case_repairs(
    acts: Rig,
) -> None:
    (ref,) = await acts.customers(1)
    asked = VerifyRequest(
        customer=ref, field="phone", part="last4", claim="1", purpose="support_case"
    )
    early = await acts.broker.verify(AGENT, asked)
    assert isinstance(early, Verified)
    assert acts.entry(early.receipt).event.link == "pending"
    acts.clock.advance(GRACE + MINUTE)
    late = await acts.broker.verify(AGENT, asked)
    assert isinstance(late, Refused)
    assert NextStep.NAME_CASE in late.steps
    refused = acts.entry(late.receipt).event
    assert (refused.link, refused.determined_by) == ("none", ("verify-needs-case",))
    await acts.case(ref)
    assert isinstance(await acts.broker.verify(AGENT, asked), Verified)


async def test_a_case_that_comes_a_moment_late_repairs_a_verification(acts: Rig) -> None:
    (ref,) = await acts.customers(1)
    asked = VerifyRequest(
        customer=ref, field="phone", part="last4", claim="5678", purpose="support_case"
    )
    answer = await acts.broker.verify(AGENT, asked)
    await acts.case(ref)
    (repaired,) = [e for e in acts.log() if e.kind is EntryKind.LATE_LINK]
    assert repaired.event.body["index"] == acts.entry(answer.receipt).index


@pytest.mark.parametrize(
    ("name", "part"), [("phone", "year"), ("notes", "full"), ("no_such", "full")]
)
async def test_what_the_catalogue_does_not_allow_is_refused(
    acts: Rig, name: str, part: str
) -> None:
    asked = replace(await claim(acts), field=name, part=part)
    answer = await acts.broker.verify(AGENT, asked)
    assert isinstance(answer, Refused)
    assert (answer.code, bool(answer.steps)) == (RefusalCode.NOT_VERIFIABLE, True)
    assert name not in str(acts.entry(answer.receipt).event.body)


async def test_a_failing_source_is_an_entry_and_no_try(acts: Rig) -> None:
    asked = await claim(acts)
    await acts.source.close()
    with pytest.raises(SourceError):
        await acts.broker.verify(AGENT, asked)
    assert acts.log()[-1].kind is EntryKind.FAILED
    assert all(b.used == 0 for b in await acts.broker.quota(AGENT))


async def test_where_all_is_masked_tries_stay_bounded_and_policies_only_say(acts: Rig) -> None:
    asked = replace(await claim(acts), purpose="outreach", case=None)
    assert isinstance(await acts.broker.verify(AGENT, asked), Refused)
    await put_people(acts)
    rule = await acts.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.MASK)
    await acts.modes.approve(SECOND, rule.id)
    answers = [await acts.broker.verify(AGENT, asked) for _ in range(6)]
    assert [getattr(a, "would", None) for a in answers] == ["refused"] * 5 + [None]
