"""What a view is and is not, on both engines."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from guard.admission import Admission, Stale
from guard.clock import HOUR, ManualClock
from guard.entries import EntryKind
from guard.errors import (
    NotFoundError,
    SourceError,
    StoreUnavailableError,
)
from guard.rows import RawRecord
from guard.store import SqlStore
from guard.views import NextStep, RefusalCode, Refused, Served
from policies.model import Mode, Risk
from tests.support.people import AGENT, ANALYST, DIRECTORY, SECOND, make_customer, put_people
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig, make_caller, open_rig

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


async def test_the_facts_of_every_view_are_kept_for_a_replay(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    facts_id = rig.entry(answer.receipt).event.facts_id
    with rig.store.read() as view:
        facts = view.facts(facts_id)
    assert facts is not None
    assert facts["link"] == "owner"


async def test_only_asked_fields_are_shown(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    asked = rig.asks(ref, case, fields=("plan", "no_such_field"))
    answer = await rig.broker.view(AGENT, asked)
    assert isinstance(answer, Served)
    assert json.loads(answer.record.to_json_bytes()) == {"plan": "gold"}


@pytest.mark.parametrize("purpose", ["curiosity", "", "SUPPORT_CASE"])
async def test_an_unknown_purpose_is_refused_with_an_entry(rig: Rig, purpose: str) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, purpose=purpose))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.POLICY
    assert rig.entry(answer.receipt).kind is EntryKind.REFUSAL


async def test_an_unknown_customer_is_refused_with_an_entry_that_names_none(rig: Rig) -> None:
    answer = await rig.broker.view(AGENT, rig.asks("nobody"))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
    assert rig.entry(answer.receipt).refs == ()


async def test_customers_of_another_tenant_do_not_exist(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(make_caller(tenant="other"), rig.asks(ref))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER


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


async def test_budgets_count_customers_and_then_refuse(rig: Rig) -> None:
    refs = await rig.customers(45)
    answers = [await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref))) for ref in refs]
    served = [a for a in answers if isinstance(a, Served)]
    refused = [a for a in answers if isinstance(a, Refused)]
    assert (len(served), len(refused)) == (40, 5)
    assert {a.code for a in refused} == {RefusalCode.QUOTA}
    assert all(a.retry_at is not None and a.budgets for a in refused)
    assert {a.exceeded for a in refused} == {("person-customers-hour",)}
    again = await rig.broker.view(AGENT, rig.asks(refs[0], await rig.case(refs[0])))
    assert isinstance(again, Served)
    rig.clock.advance(HOUR)
    later = await rig.broker.view(AGENT, rig.asks(refs[44], await rig.case(refs[44])))
    assert isinstance(later, Served)
    (budget,) = [b for b in later.budgets if b.name == "person-customers-day"]
    assert budget.used == 41


async def test_an_ai_agent_is_charged_beside_its_human(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    helper = make_caller(actor="bot-1")
    answer = await rig.broker.view(helper, rig.asks(ref, case, purpose="ai_session"))
    assert isinstance(answer, Served)
    entry = rig.entry(answer.receipt)
    assert (entry.event.agent, entry.event.actor) == ("a1", "bot-1")
    assert {c.key.partition("#")[0] for c in entry.event.charges} >= {"actor:acme/bot-1"}


async def test_concurrent_views_share_commits_and_each_has_its_entry(rig: Rig) -> None:
    refs = await rig.customers(20)
    cases = [await rig.case(ref) for ref in refs]
    answers = await asyncio.gather(
        *(rig.broker.view(AGENT, rig.asks(r, c)) for r, c in zip(refs, cases, strict=True))
    )
    entries = [rig.entry(a.receipt) for a in answers]
    assert len({entry.index for entry in entries}) == 20
    assert {entry.kind for entry in entries} == {EntryKind.VIEW}


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


async def test_one_observed_purpose_does_not_open_what_is_refused_otherwise(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)
    rule = await rig.modes.propose(
        ANALYST, vendor="", team="", purpose="quality_review", mode=Mode.OBSERVE
    )
    await rig.modes.approve(SECOND, rule.id)
    answer = await rig.broker.view(AGENT, rig.asks(ref, purpose="quality_review"))
    assert isinstance(answer, Refused)
    reviewed = await rig.case(ref, how="qa")
    answer = await rig.broker.view(AGENT, rig.asks(ref, reviewed, purpose="quality_review"))
    assert isinstance(answer, Served)
    assert answer.mode is Mode.OBSERVE


async def test_a_standing_that_keeps_changing_ends_in_an_entry(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)

    async def stale(_admission: Admission) -> Stale:
        return Stale(Risk.NOTIFIED)

    monkeypatch.setattr(rig.committer, "admit", stale)
    with pytest.raises(StoreUnavailableError):
        await rig.broker.view(AGENT, rig.asks(ref, case))
    last = rig.log()[-1]
    assert (last.kind, last.event.reasons) == (EntryKind.FAILED, ("StoreUnavailableError",))


async def test_a_policy_that_cannot_be_evaluated_shows_nothing_in_any_mode(
    store: SqlStore, clock: ManualClock, tmp_path: Path
) -> None:
    files = default_files()
    broken = b'@id("broken")\n@reason("x")\nforbid(principal, action == Action::"Admit", resource)'
    files = {**files, "broken.cedar": broken + b" when { 9223372036854775807 + 1 > 0 };\n"}
    with open_rig(store, clock, tmp_path, files) as rig:
        await put_people(rig)
        rule = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
        await rig.modes.approve(SECOND, rule.id)
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Refused)
        assert "policy-error" in answer.determined_by
