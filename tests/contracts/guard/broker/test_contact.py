"""A call or mail to a customer whose address leaves through the channel only."""

import asyncio
from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import (
    DeliveryUnknownError,
    InvalidRequestError,
    NotDeliveredError,
    StoreUnavailableError,
)
from guard.ports import Message
from guard.views import Contacted, ContactRequest, DeliveryState, RefusalCode, Refused
from policies.model import Mode
from tests.support.log import entry_of
from tests.support.people import AGENT, ANALYST, SECOND, put_people
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio
ADDRESS = "maria.gonzalez@example.com"


async def mail(rig: Rig) -> ContactRequest:
    (ref,) = await rig.customers(1)
    return ContactRequest(
        customer=ref,
        channel="mail",
        purpose="support_case",
        case=await rig.case(ref),
        subject="Your order",
        text="It is on its way.",
    )


async def test_a_mail_goes_out_and_nobody_is_shown_the_address(acts: Rig) -> None:
    asked = await mail(acts)
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Contacted)
    assert (answer.state, answer.channel_id) == (DeliveryState.DELIVERED, "m-1")
    ((address, message),) = acts.channels["mail"].sent
    assert address == ADDRESS
    assert (message.subject, message.text) == ("Your order", "It is on its way.")
    assert message.reference == answer.receipt.entry_id
    assert answer.delivery is not None
    log = acts.log()
    intent, outcome = entry_of(answer.receipt, log), entry_of(answer.delivery, log)
    assert (intent.kind, outcome.kind) == (EntryKind.CONTACT, EntryKind.DELIVERY)
    assert intent.index < outcome.index
    assert outcome.event.body == {
        "of": answer.receipt.entry_id,
        "channel": "mail",
        "state": "delivered",
        "told": True,
    }
    assert ADDRESS not in str(answer) + str(log)
    assert "on its way" not in str(log)


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (NotDeliveredError(f"{ADDRESS} refused"), DeliveryState.FAILED),
        (DeliveryUnknownError(f"{ADDRESS} fell silent"), DeliveryState.UNKNOWN),
        (RuntimeError(ADDRESS), DeliveryState.UNKNOWN),
    ],
)
async def test_a_delivery_that_went_wrong_says_how_and_not_to_whom(
    acts: Rig, failure: Exception, state: DeliveryState
) -> None:
    asked = await mail(acts)
    acts.channels["mail"].failure = failure
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Contacted)
    assert (answer.state, bool(answer.next)) == (state, True)
    assert acts.log()[-1].event.reasons == (type(failure).__name__,)
    assert ADDRESS not in str(answer) + str(acts.log())


async def test_a_record_without_an_address_ends_as_failed(acts: Rig) -> None:
    asked = await mail(acts)
    (other,) = (await acts.customers(2))[1:]
    acts.source._records["2"]["email"] = None  # type: ignore[index]  # noqa: SLF001 - the record of this test
    case = await acts.case(other)
    answer = await acts.broker.contact(AGENT, replace(asked, customer=other, case=case))
    assert isinstance(answer, Contacted)
    assert answer.state is DeliveryState.FAILED
    assert acts.channels["mail"].sent == []
    assert {b.name: b.used for b in answer.budgets} == {"contacts-day": 1}


async def test_who_has_no_case_is_not_told_whether_there_is_an_address(acts: Rig) -> None:
    have, lack = await acts.customers(2)
    acts.source._records["2"]["email"] = None  # type: ignore[index]  # noqa: SLF001 - the record of this test
    await put_people(acts)
    rule = await acts.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.MASK)
    await acts.modes.approve(SECOND, rule.id)
    asked = ContactRequest(customer="", channel="mail", purpose="support_case", text="Hello.")
    said = []
    for ref in (have, lack):
        answer = await acts.broker.contact(AGENT, replace(asked, customer=ref))
        assert isinstance(answer, Contacted)
        said.append((answer.state, answer.channel_id, answer.delivery, answer.next, answer.would))
    assert said[0] == said[1]
    assert (said[0][0], said[0][4]) == (DeliveryState.UNKNOWN, "refused")
    await asyncio.gather(*acts.broker._path.recording._running)  # noqa: SLF001 - nobody else waits for them
    ended = (entry for entry in acts.log() if entry.kind is EntryKind.DELIVERY)
    found = {entry.refs[0]: entry.event.body for entry in ended}
    assert [found[ref]["state"] for ref in (have, lack)] == ["delivered", "failed"]
    assert {body["told"] for body in found.values()} == {False}
    assert len(acts.channels["mail"].sent) == 1


@pytest.mark.parametrize("given", ["MARIA.gonzalez@x", "naïve", "id\n2"])
async def test_a_channels_id_that_may_tell_the_address_is_not_passed_on(
    acts: Rig, given: str
) -> None:
    asked = await mail(acts)
    acts.channels["mail"].given = given
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Contacted)
    assert answer.channel_id == ""


async def test_a_call_needs_no_words_and_its_number_is_not_in_its_id(acts: Rig) -> None:
    asked = replace(await mail(acts), channel="call", subject="", text="")
    acts.channels["call"].given = "call-34612345678"
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Contacted)
    assert answer.channel_id == ""
    ((number, message),) = acts.channels["call"].sent
    assert number == "+34612345678"
    assert message == Message(sender="a1", reference=answer.receipt.entry_id)


async def test_a_copy_goes_to_each_by_itself_and_one_refusal_stops_no_other(acts: Rig) -> None:
    asked = await mail(acts)
    second = (await acts.customers(2))[1]
    await acts.case(second)
    answer = await acts.broker.contact(AGENT, replace(asked, cc=(second, "nobody")))
    assert isinstance(answer, Contacted)
    assert [type(copy) for copy in answer.cc] == [Contacted, Refused]
    assert len(acts.channels["mail"].sent) == 2
    kinds = [e.kind for e in acts.log()]
    assert (kinds.count(EntryKind.CONTACT), kinds.count(EntryKind.DELIVERY)) == (2, 2)


async def test_a_channel_that_nobody_set_up_is_refused(acts: Rig) -> None:
    asked = replace(await mail(acts), channel="message", subject="")
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Refused)
    assert (answer.code, bool(answer.steps)) == (RefusalCode.NO_CHANNEL, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": "pigeon"},
        {"channel": "call"},
        {"text": " "},
        {"subject": "a\r\nBcc: all@example.com"},
        {"subject": "a\u2028b"},
        {"text": "a\x00b"},
        {"text": "x" * 10_001},
        {"channel": "message", "cc": ("c2",)},
        {"cc": tuple(f"c{n}" for n in range(11))},
    ],
)
async def test_what_a_channel_could_misread_is_refused(acts: Rig, changes: dict[str, str]) -> None:
    asked = ContactRequest(
        customer="c1", channel="mail", purpose="support_case", subject="s", text="t"
    )
    with pytest.raises(InvalidRequestError):
        await acts.broker.contact(AGENT, replace(asked, **changes))  # type: ignore[arg-type]  # a few fields by name


async def test_contacts_are_bounded_before_the_channel(acts: Rig) -> None:
    asked = await mail(acts)
    answers = [await acts.broker.contact(AGENT, asked) for _ in range(6)]
    assert [isinstance(a, Contacted) for a in answers] == [True] * 4 + [False] * 2
    assert len(acts.channels["mail"].sent) == 4


async def test_a_caller_who_goes_away_leaves_an_outcome(
    acts: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await mail(acts)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_address: str, _message: Message) -> str:
        begun.set()
        await go_on.wait()
        return "m-9"

    monkeypatch.setattr(acts.channels["mail"], "deliver", slow)
    task = asyncio.create_task(acts.broker.contact(AGENT, asked))
    async with asyncio.timeout(20):
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        (running,) = acts.broker._path.recording._running  # noqa: SLF001 - what nobody else waits for
        await running
    assert acts.log()[-1].event.body["state"] == "delivered"


async def test_an_outcome_that_cannot_be_written_is_no_error(
    acts: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await mail(acts)

    async def deliver(_address: str, _message: Message) -> str:
        async def down(_work: object) -> None:
            raise StoreUnavailableError("full")

        monkeypatch.setattr(acts.committer, "run", down)
        return "m-1"

    monkeypatch.setattr(acts.channels["mail"], "deliver", deliver)
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Contacted)
    assert (answer.state, answer.delivery) == (DeliveryState.DELIVERED, None)


async def test_a_mode_that_refuses_nothing_says_what_it_would_have_done(acts: Rig) -> None:
    asked = replace(await mail(acts), purpose="outreach", case=None)
    assert isinstance(await acts.broker.contact(AGENT, asked), Refused)
    await put_people(acts)
    rule = await acts.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
    await acts.modes.approve(SECOND, rule.id)
    answer = await acts.broker.contact(AGENT, asked)
    assert isinstance(answer, Contacted)
    assert answer.would == "refused"
