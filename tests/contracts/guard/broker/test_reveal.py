"""Single fields of a view, opened for some seconds, decided anew."""

import json
from dataclasses import replace

import pytest

from guard.clock import MINUTE
from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.purposes.reports import CasePut
from guard.views import NextStep, RefusalCode, Refused, Revealed, RevealRequest, Served
from policies.model import Role
from tests.support.log import entry_of
from tests.support.people import AGENT, ANALYST, put_people
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio
EMAIL = "maria.gonzalez@example.com"


async def seen(rig: Rig) -> tuple[str, str, RevealRequest]:
    """A view of one's own case: its customer, its case, and a reveal of its address."""
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    answer = await rig.broker.view(AGENT, rig.asks(ref, case))
    assert isinstance(answer, Served)
    asked = RevealRequest(view=answer.receipt.entry_id, fields=("email",), reason="to spell it")
    return ref, case, asked


async def test_a_reveal_shows_the_asked_fields_alone_and_says_how_long(acts: Rig) -> None:
    ref, case, asked = await seen(acts)
    answer = await acts.broker.reveal(AGENT, asked)
    assert isinstance(answer, Revealed)
    assert json.loads(answer.shown.record.to_json_bytes()) == {"email": EMAIL}
    assert answer.expires_in_s == 30
    entry = acts.entry(answer.shown.receipt)
    assert (entry.kind, entry.event.act) == (EntryKind.REVEAL, "reveal")
    assert (entry.event.body["of"], entry.event.body["fields"]) == (asked.view, ["email"])
    assert entry.event.classes == {"contact": "plain"}
    assert entry.subjects[0] is not None
    assert (entry.subjects[0].customer, entry.subjects[0].case) == (ref, case)
    assert {c.measure for c in entry.event.charges} == {"reveals"}


async def test_a_field_that_stays_covered_says_why_and_what_to_do(acts: Rig) -> None:
    _, _, asked = await seen(acts)
    fields = ("email", "address.street", "national_id", "address", "no_such_field")
    answer = await acts.broker.reveal(AGENT, replace(asked, fields=fields))
    assert isinstance(answer, Revealed)
    covered = {note.path: note for note in answer.refused}
    assert list(covered) == ["address.street", "national_id", "address", "no_such_field"]
    assert all(note.why for note in answer.refused)
    assert NextStep.CUSTOMER_CODE in covered["address.street"].next
    assert NextStep.VERIFY in covered["national_id"].next


async def test_where_nothing_opens_the_reveal_is_refused_and_free(acts: Rig) -> None:
    _, _, asked = await seen(acts)
    answer = await acts.broker.reveal(AGENT, replace(asked, fields=("national_id", "nothing")))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.NOT_REVEALED
    assert answer.steps
    entry = acts.entry(answer.receipt)
    assert (entry.kind, entry.event.charges) == (EntryKind.REFUSAL, ())


async def test_anything_but_ones_own_recent_view_is_an_unknown_one(acts: Rig) -> None:
    _, _, asked = await seen(acts)
    revealed = await acts.broker.reveal(AGENT, asked)
    assert isinstance(revealed, Revealed)
    others = [
        (make_caller("a2"), asked),
        (make_caller(actor="bot-1"), asked),
        (make_caller(tenant="other"), asked),
        (AGENT, replace(asked, view="00" * 16)),
        (AGENT, replace(asked, view="no hex")),
        (AGENT, replace(asked, view=revealed.shown.receipt.entry_id)),
    ]
    answers = [await acts.broker.reveal(who, what) for who, what in others]
    acts.clock.advance(15 * MINUTE + 1_000_000)
    answers.append(await acts.broker.reveal(AGENT, asked))
    assert all(isinstance(a, Refused) for a in answers)
    said = {(a.code, a.reasons, a.steps) for a in answers if isinstance(a, Refused)}
    assert len(said) == 1
    log = acts.log()
    entries = [entry_of(a.receipt, log) for a in answers if isinstance(a, Refused)]
    assert {(e.kind, e.refs, e.event.act) for e in entries} == {(EntryKind.REFUSAL, (), "reveal")}


async def test_a_case_that_was_closed_in_between_bites(acts: Rig) -> None:
    ref, case, asked = await seen(acts)
    now = acts.clock.now()
    closed = CasePut(
        id=case,
        customer=ref,
        channel="phone",
        opened_at=now - 9 * MINUTE,
        closed_at=now - 8 * MINUTE,
        assignments=(),
    )
    await acts.cases.put(make_caller("desk", role=Role.SERVICE), closed)
    assert isinstance(await acts.broker.reveal(AGENT, asked), Revealed)
    # What is written up after a call is as explained as the call; then it is over.
    acts.clock.advance(13 * MINUTE)
    late = await acts.broker.reveal(AGENT, asked)
    assert isinstance(late, Refused)
    assert late.code is RefusalCode.POLICY
    assert NextStep.NAME_CASE in late.steps


async def test_a_suspension_in_between_bites_and_its_facts_are_kept(acts: Rig) -> None:
    _, _, asked = await seen(acts)
    await put_people(acts)
    await acts.suspensions.suspend(
        ANALYST, agent_id="a1", reason="under review", ends_at=acts.clock.now() + 60 * MINUTE
    )
    answer = await acts.broker.reveal(AGENT, asked)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.steps[0]) == (RefusalCode.SUSPENDED, NextStep.SEE_NOTICES)
    entry = acts.entry(answer.receipt)
    assert entry.event.facts_id
    unknown = await acts.broker.reveal(AGENT, replace(asked, view="00" * 16))
    assert isinstance(unknown, Refused)
    assert unknown.code is RefusalCode.SUSPENDED


async def test_reveals_have_a_budget_of_their_own(acts: Rig) -> None:
    _, _, asked = await seen(acts)
    answers = [await acts.broker.reveal(AGENT, asked) for _ in range(4)]
    assert [isinstance(a, Revealed) for a in answers] == [True, True, True, False]
    assert isinstance(answers[3], Refused)
    assert answers[3].exceeded == ("reveals-day",)


@pytest.mark.parametrize("changes", [{"fields": ()}, {"fields": tuple("abcdef")}, {"reason": "  "}])
async def test_a_reveal_names_a_few_fields_and_a_reason(
    acts: Rig, changes: dict[str, tuple[str, ...]]
) -> None:
    asked = replace(RevealRequest(view="00" * 16, fields=("email",), reason="why"), **changes)  # type: ignore[arg-type]  # a few fields by name
    with pytest.raises(InvalidRequestError):
        await acts.broker.reveal(AGENT, asked)
