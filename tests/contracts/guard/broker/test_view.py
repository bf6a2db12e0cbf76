"""What a view is and is not, on both engines."""

import json

import pytest

from guard.entries import EntryKind
from guard.views import NextStep, Served
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_an_explained_view_is_masked_and_its_entry_is_in_the_log(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    answer = await rig.broker.view(AGENT, rig.asks(ref, case))
    assert isinstance(answer, Served)
    record = json.loads(answer.record.to_json_bytes())
    assert record["plan"] == "gold"
    assert "national_id" not in record or record["national_id"] == "[hidden]"
    assert b"maria.gonzalez" not in answer.record.to_json_bytes()
    entry = rig.entry(answer.receipt)
    assert entry.entry_id == answer.receipt.entry_id
    assert entry.kind is EntryKind.VIEW
    assert (entry.event.link, entry.event.outcome) == ("owner", "permitted")
    assert entry.subjects[0] is not None
    assert entry.subjects[0].customer == ref
    assert all(note.why for note in answer.fields if note.form < 3)


async def test_a_note_says_what_can_be_done_without_seeing(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    email = next(note for note in answer.fields if note.path == "email")
    assert (email.verify, email.contact) == (("full",), "mail")
    assert {NextStep.VERIFY, NextStep.CONTACT} <= set(email.next)


async def test_only_asked_fields_are_shown(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    asked = rig.asks(ref, case, fields=("plan", "no_such_field"))
    answer = await rig.broker.view(AGENT, asked)
    assert isinstance(answer, Served)
    assert json.loads(answer.record.to_json_bytes()) == {"plan": "gold"}


async def test_view_codes_lead_back_to_the_entry(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    assert len(answer.view_code) == 9


async def test_a_look_at_a_decoy_is_marked_in_the_log_and_nowhere_else(rig: Rig) -> None:
    (ref,) = await rig.customers(1, is_decoy=True)
    answer = await rig.broker.view(AGENT, rig.asks(ref))
    assert isinstance(answer, Served)
    assert rig.entry(answer.receipt).event.body == {"decoy": True, "on_shift": True}
    assert b"decoy" not in answer.record.to_json_bytes()
