"""What the guard's services promise together, on both engines."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from guard.alerts import AlertChange
from guard.clock import DAY, HOUR, ManualClock
from guard.enrolment import CustomerPut
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    SourceError,
)
from guard.exports import ExportFormat
from guard.findings import Finding, FindingKind, Severity
from guard.ledger.proofs import parse_tlog_proof
from guard.ports import Store
from guard.purposes.cases import AssignmentPut, CasePut
from guard.purposes.work_lists import WorkListPut
from guard.rows import AlertState, LogQuery, OutboxItem, ResponseKind
from guard.views import RefusalCode, Refused, Served
from policies.model import ActorKind, Mode, Role
from tests.support.makers import TENANT
from tests.support.rig import Rig, make_caller, open_rig, row_of

pytestmark = pytest.mark.anyio

AGENT = make_caller()
ANALYST = make_caller("ana", role=Role.ANALYST, team="security", line=("ciso",))
SECOND = make_caller("ben", role=Role.ANALYST, team="security-2", line=("coo",))
AUDITOR = make_caller("aud", role=Role.AUDITOR, team="audit", line=("board",))
DIRECTORY = make_caller("hr-sync", role=Role.SERVICE, kind=ActorKind.SERVICE)


@pytest.fixture
def rig(store: Store, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path) as opened:
        yield opened


async def people(rig: Rig) -> None:
    await rig.directory.put(DIRECTORY, [row_of(p) for p in (AGENT, ANALYST, SECOND, AUDITOR)])


def finding(severity: Severity, agents: tuple[str, ...] = ("a1",), **more: object) -> Finding:
    base = Finding(
        key="agent:" + agents[0],
        kind=FindingKind.AGENT,
        raised_at=1,
        first_event_at=1,
        agent_ids=agents,
        score=9.0,
        severity=severity,
        channels=("unexplained",),
        reasons=("24 of 31 views have no case",),
        contributions=(("unexplained", 1.0),),
        evidence=(0,),
    )
    return replace(base, **more)  # type: ignore[arg-type] # named fields of a finding


async def raise_finding(rig: Rig, position: int, found: Finding) -> None:
    await rig.alerts.apply("w", [OutboxItem(position=position, tenant=TENANT, finding=found)])


async def open_alert(rig: Rig) -> str:
    rows = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=10)
    return rows[0].id


class TestViews:
    async def test_an_explained_view_is_masked_and_its_entry_is_in_the_log(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        case = await rig.case(ref)
        answer = await rig.broker.view(AGENT, rig.asks(ref, case))
        assert isinstance(answer, Served)
        record = json.loads(answer.record.to_json_bytes())
        assert record["plan"] == "gold"
        assert "national_id" not in record or record["national_id"] == "[hidden]"
        assert b"maria.gonzalez" not in answer.record.to_json_bytes()
        entry = rig.log()[answer.receipt.index]
        assert entry.entry_id == answer.receipt.entry_id
        assert entry.kind is EntryKind.VIEW
        assert (entry.event.link, entry.event.outcome) == ("owner", "permitted")
        assert entry.subjects[0] is not None
        assert entry.subjects[0].customer == ref
        assert all(note.why for note in answer.fields if note.form < 3)

    async def test_the_facts_of_every_view_are_kept_for_a_replay(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Served)
        facts_id = rig.log()[answer.receipt.index].event.facts_id
        with rig.store.read() as view:
            facts = view.facts(facts_id)
        assert facts is not None
        assert facts["link"] == "owner"

    async def test_only_asked_fields_are_shown(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        case = await rig.case(ref)
        asked = rig.asks(ref, case, fields=("plan", "no_such_field"))
        answer = await rig.broker.view(AGENT, asked)
        assert isinstance(answer, Served)
        assert json.loads(answer.record.to_json_bytes()) == {"plan": "gold"}

    @pytest.mark.parametrize("purpose", ["curiosity", "", "SUPPORT_CASE"])
    async def test_an_unknown_purpose_is_refused_with_an_entry(
        self, rig: Rig, purpose: str
    ) -> None:
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, purpose=purpose))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.POLICY
        assert rig.log()[answer.receipt.index].kind is EntryKind.REFUSAL

    async def test_an_unknown_customer_is_refused_with_an_entry_that_names_none(
        self, rig: Rig
    ) -> None:
        answer = await rig.broker.view(AGENT, rig.asks("nobody"))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
        assert rig.log()[answer.receipt.index].refs == ()

    async def test_customers_of_another_tenant_do_not_exist(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(make_caller(tenant="other"), rig.asks(ref))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.UNKNOWN_CUSTOMER

    async def test_a_failing_source_leaves_an_entry_and_no_charge(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        await rig.source.close()
        with pytest.raises(SourceError):
            await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        last = rig.log()[-1]
        assert (last.kind, last.event.reasons) == (EntryKind.FAILED, ("SourceError",))
        assert all(b.used == 0 for b in await rig.broker.quota(AGENT))

    async def test_a_record_that_is_gone_leaves_an_entry(self, rig: Rig) -> None:
        (ref,) = (await rig.enrolment.enrol(DIRECTORY, [_customer("no-such-row")])).values()
        with pytest.raises(NotFoundError):
            await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert rig.log()[-1].kind is EntryKind.FAILED

    async def test_a_source_that_is_not_configured_shows_nothing(self, rig: Rig) -> None:
        (ref,) = (
            await rig.enrolment.enrol(DIRECTORY, [replace(_customer("1"), source="billing")])
        ).values()
        with pytest.raises(SourceError):
            await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))

    async def test_budgets_count_customers_and_then_refuse(self, rig: Rig) -> None:
        refs = await rig.customers(45)
        answers = [await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref))) for ref in refs]
        served = [a for a in answers if isinstance(a, Served)]
        refused = [a for a in answers if isinstance(a, Refused)]
        assert (len(served), len(refused)) == (40, 5)
        assert {a.code for a in refused} == {RefusalCode.QUOTA}
        assert all(a.retry_at is not None and a.budgets for a in refused)
        again = await rig.broker.view(AGENT, rig.asks(refs[0], await rig.case(refs[0])))
        assert isinstance(again, Served)
        rig.clock.advance(HOUR)
        later = await rig.broker.view(AGENT, rig.asks(refs[44], await rig.case(refs[44])))
        assert isinstance(later, Served)
        (budget,) = [b for b in later.budgets if b.name == "person-customers-day"]
        assert budget.used == 41

    async def test_an_ai_agent_is_charged_beside_its_human(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        case = await rig.case(ref)
        helper = make_caller(actor="bot-1")
        answer = await rig.broker.view(helper, rig.asks(ref, case, purpose="ai_session"))
        assert isinstance(answer, Served)
        entry = rig.log()[answer.receipt.index]
        assert (entry.event.agent, entry.event.actor) == ("a1", "bot-1")
        assert {c.key.partition("#")[0] for c in entry.event.charges} >= {"actor:acme/bot-1"}

    async def test_concurrent_views_share_commits_and_each_has_its_entry(self, rig: Rig) -> None:
        refs = await rig.customers(20)
        cases = [await rig.case(ref) for ref in refs]
        answers = await asyncio.gather(
            *(rig.broker.view(AGENT, rig.asks(r, c)) for r, c in zip(refs, cases, strict=True))
        )
        indexes = {a.receipt.index for a in answers}
        assert len(indexes) == 20
        log = rig.log()
        assert all(log[i].kind is EntryKind.VIEW for i in indexes)

    async def test_view_codes_lead_back_to_the_entry(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Served)
        assert len(answer.view_code) == 9


class TestModes:
    async def mode(self, rig: Rig, mode: Mode, team: str = "") -> None:
        await people(rig)
        row = await rig.modes.propose(ANALYST, vendor="", team=team, purpose="", mode=mode)
        await rig.modes.approve(SECOND, row.id)

    async def test_observe_shows_all_and_records_what_enforcing_would_have_done(
        self, rig: Rig
    ) -> None:
        (ref,) = await rig.customers(1)
        await self.mode(rig, Mode.OBSERVE)
        answer = await rig.broker.view(AGENT, rig.asks(ref, purpose="outreach"))
        assert isinstance(answer, Served)
        assert b"maria.gonzalez@example.com" in answer.record.to_json_bytes()
        assert (answer.mode, answer.would) == (Mode.OBSERVE, "refused")
        masked = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(masked, Served)
        assert masked.would == "masked"
        report = await rig.modes.report(ANALYST, 0, rig.clock.now() + DAY)
        counted = {(r.team, r.mode, r.would): r.views for r in report}
        assert counted["team-1", "observe", "refused"] == 1
        assert counted["team-1", "observe", "masked"] == 1

    async def test_mask_masks_and_refuses_nothing(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        await self.mode(rig, Mode.MASK)
        answer = await rig.broker.view(AGENT, rig.asks(ref, purpose="outreach"))
        assert isinstance(answer, Served)
        assert answer.would == "refused"
        assert b"maria.gonzalez@example.com" not in answer.record.to_json_bytes()

    async def test_budgets_are_counted_and_not_enforced_outside_enforce(self, rig: Rig) -> None:
        refs = await rig.customers(42)
        await self.mode(rig, Mode.MASK)
        answers = [await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref))) for ref in refs]
        assert all(isinstance(a, Served) for a in answers)
        assert [a.would for a in answers if isinstance(a, Served)].count("refused") == 2

    async def test_the_most_specific_rule_wins_and_others_are_enforced(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        await self.mode(rig, Mode.OBSERVE, team="team-9")
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Served)
        assert answer.mode is Mode.ENFORCE

    async def test_a_mode_takes_two_people_and_the_right_roles(self, rig: Rig) -> None:
        await people(rig)
        with pytest.raises(AccessDeniedError):
            await rig.modes.propose(AGENT, vendor="", team="", purpose="", mode=Mode.OBSERVE)
        row = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
        with pytest.raises(AccessDeniedError):
            await rig.modes.approve(ANALYST, row.id)
        with pytest.raises(AccessDeniedError):
            await rig.modes.approve(AGENT, row.id)
        with pytest.raises(NotFoundError):
            await rig.modes.approve(SECOND, "mode-none")
        await rig.modes.approve(SECOND, row.id)
        with pytest.raises(ConflictError):
            await rig.modes.approve(SECOND, row.id)
        assert [m.approved_by for m in await rig.modes.list(AUDITOR)] == ["ben"]
        with pytest.raises(AccessDeniedError):
            await rig.modes.list(AGENT)

    async def test_a_suspension_bites_in_every_mode(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        await self.mode(rig, Mode.OBSERVE)
        await suspend(rig)
        answer = await rig.broker.view(AGENT, rig.asks(ref))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.SUSPENDED


async def suspend(rig: Rig, by: str = "ana") -> str:
    analyst = {"ana": ANALYST, "ben": SECOND}[by]
    row = await rig.suspensions.suspend(
        analyst, agent_id="a1", reason="copies records", ends_at=rig.clock.now() + DAY
    )
    return row.id


class TestSuspensions:
    async def test_after_it_returns_nothing_is_admitted_and_a_lift_ends_it(self, rig: Rig) -> None:
        await people(rig)
        (ref,) = await rig.customers(1)
        case = await rig.case(ref)
        response = await suspend(rig)
        answer = await rig.broker.view(AGENT, rig.asks(ref, case))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.SUSPENDED
        with pytest.raises(AccessDeniedError):
            await rig.suspensions.lift(ANALYST, response, "by the same person")
        await rig.suspensions.lift(SECOND, response, "explained")
        assert isinstance(await rig.broker.view(AGENT, rig.asks(ref, case)), Served)
        with pytest.raises(ConflictError):
            await rig.suspensions.lift(SECOND, response, "again")
        kinds = [e.event.body["active"] for e in rig.log() if e.kind is EntryKind.SUSPENSION]
        assert kinds == [True, False]

    async def test_it_ends_by_itself(self, rig: Rig) -> None:
        await people(rig)
        (ref,) = await rig.customers(1)
        await suspend(rig)
        rig.clock.advance(DAY + 1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Served)

    async def test_views_in_flight_are_admitted_before_it_or_not_at_all(self, rig: Rig) -> None:
        await people(rig)
        refs = await rig.customers(30)
        cases = [await rig.case(ref) for ref in refs]

        async def view(number: int) -> Served | Refused:
            return await rig.broker.view(AGENT, rig.asks(refs[number], cases[number]))

        *answers, _ = await asyncio.gather(*(view(n) for n in range(30)), suspend(rig))
        log = rig.log()
        (at,) = [e.index for e in log if e.kind is EntryKind.SUSPENSION]
        assert not [e for e in log if e.kind is EntryKind.VIEW and e.index > at]
        assert len(answers) == 30

    async def test_who_may_and_what_makes_sense(self, rig: Rig) -> None:
        await people(rig)
        now = rig.clock.now()
        with pytest.raises(AccessDeniedError):
            await rig.suspensions.suspend(AGENT, agent_id="a2", reason="r", ends_at=now + 1)
        with pytest.raises(AccessDeniedError):
            await rig.suspensions.suspend(ANALYST, agent_id="ana", reason="r", ends_at=now + 1)
        with pytest.raises(NotFoundError):
            await rig.suspensions.suspend(ANALYST, agent_id="ghost", reason="r", ends_at=now + 1)
        for reason, ends in ((" ", now + 1), ("r", now), ("r", now + 31 * DAY)):
            with pytest.raises(InvalidRequestError):
                await rig.suspensions.suspend(ANALYST, agent_id="a1", reason=reason, ends_at=ends)
        with pytest.raises(NotFoundError):
            await rig.suspensions.lift(ANALYST, "rsp-none", "r")
        with pytest.raises(AccessDeniedError):
            await rig.suspensions.active(AGENT, None)

    async def test_nobody_lifts_a_response_against_themselves(self, rig: Rig) -> None:
        await people(rig)
        row = await rig.suspensions.suspend(
            SECOND, agent_id="ana", reason="r", ends_at=rig.clock.now() + DAY
        )
        with pytest.raises(AccessDeniedError):
            await rig.suspensions.lift(ANALYST, row.id, "mine")

    async def test_those_concerned_see_a_notice_and_may_contest_it(self, rig: Rig) -> None:
        await people(rig)
        response = await suspend(rig)
        (notice,) = await rig.suspensions.notices(AGENT)
        assert notice.id == response
        await rig.suspensions.contest(AGENT, response, "these were callbacks")
        (row,) = await rig.suspensions.active(ANALYST, "a1")
        assert row.contested == "these were callbacks"
        assert rig.log()[-1].kind is EntryKind.CONTEST
        assert "callbacks" not in str(rig.log()[-1].event)
        with pytest.raises(NotFoundError):
            await rig.suspensions.contest(ANALYST, response, "not mine")
        with pytest.raises(InvalidRequestError):
            await rig.suspensions.contest(AGENT, response, "")


class TestAlerts:
    async def test_a_finding_is_applied_once_whatever_is_repeated(self, rig: Rig) -> None:
        await people(rig)
        item = OutboxItem(position=7, tenant=TENANT, finding=finding(Severity.MEDIUM))
        assert await rig.alerts.apply("w", [item]) == 1
        assert await rig.alerts.apply("w", [item]) == 0
        assert len([e for e in rig.log() if e.kind is EntryKind.ALERT]) == 1

    async def test_repeats_update_the_one_unfinished_alert_and_the_ladder_climbs(
        self, rig: Rig
    ) -> None:
        await people(rig)
        for position, severity in enumerate(
            (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL, Severity.MEDIUM), 1
        ):
            await raise_finding(rig, position, finding(severity))
        rows = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=9)
        assert [r.severity for r in rows] == [Severity.CRITICAL]
        assert rows[0].pseudonyms[0].startswith("agent-")
        wider = finding(Severity.CRITICAL, agents=("a1", "a2"))
        await raise_finding(rig, 9, wider)
        (row,) = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=9)
        assert len(row.pseudonyms) == len(row.finding.agent_ids) == 2
        held = await rig.suspensions.active(ANALYST, "a1")
        assert {r.kind for r in held} == {
            ResponseKind.NOTIFY,
            ResponseKind.MASK_MORE,
            ResponseKind.EXPLAINED_ONLY,
        }
        assert all(r.by == "system" and r.ends_at > rig.clock.now() for r in held)

    async def test_explained_only_refuses_weak_links_and_lets_cases_pass(self, rig: Rig) -> None:
        await people(rig)
        weak, strong = await rig.customers(2)
        assert isinstance(await rig.broker.view(AGENT, rig.asks(weak)), Served)
        await raise_finding(rig, 1, finding(Severity.CRITICAL))
        answer = await rig.broker.view(AGENT, rig.asks(weak))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.EXPLAINED_ONLY
        explained = await rig.broker.view(AGENT, rig.asks(strong, await rig.case(strong)))
        assert isinstance(explained, Served)

    async def test_only_hard_evidence_lets_a_machine_suspend(self, rig: Rig) -> None:
        await people(rig)
        await raise_finding(rig, 1, finding(Severity.HIGH, is_hard=True))
        (row,) = await rig.suspensions.active(ANALYST, "a1")
        assert row.kind is ResponseKind.SUSPEND

    async def test_a_second_opinion_and_strangers_get_no_response(self, rig: Rig) -> None:
        await people(rig)
        await raise_finding(rig, 1, finding(Severity.HIGH, kind=FindingKind.OUTLIER))
        await raise_finding(rig, 2, finding(Severity.HIGH, agents=("ghost",)))
        assert await rig.suspensions.active(ANALYST, None) == []

    async def test_dismissing_needs_a_note_and_ends_what_the_machine_did(self, rig: Rig) -> None:
        await people(rig)
        await raise_finding(rig, 1, finding(Severity.CRITICAL))
        alert = await open_alert(rig)
        with pytest.raises(InvalidRequestError):
            await rig.alerts.change(ANALYST, alert, AlertChange(state=AlertState.DISMISSED))
        row = await rig.alerts.change(
            ANALYST,
            alert,
            AlertChange(state=AlertState.DISMISSED, label="honest", note="a late campaign list"),
        )
        assert (row.state, row.label) == (AlertState.DISMISSED, "honest")
        assert await rig.suspensions.active(ANALYST, "a1") == []
        with pytest.raises(ConflictError):
            await rig.alerts.change(ANALYST, alert, AlertChange(assignee="ben"))
        rig.clock.advance(1)
        await raise_finding(rig, 2, finding(Severity.MEDIUM))
        assert await open_alert(rig) != alert
        labels = [e.event.body for e in rig.log() if e.kind is EntryKind.LABEL]
        assert labels[0]["label"] == "honest"

    async def test_nobody_sees_or_reviews_an_alert_about_themselves(self, rig: Rig) -> None:
        await people(rig)
        await raise_finding(rig, 1, finding(Severity.MEDIUM, agents=("ana",)))
        assert (
            await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=9) == []
        )
        rows = await rig.alerts.page(SECOND, states=frozenset(AlertState), before=None, limit=9)
        with pytest.raises(NotFoundError):
            await rig.alerts.get(ANALYST, rows[0].id)
        with pytest.raises(NotFoundError):
            await rig.alerts.change(ANALYST, rows[0].id, AlertChange(note="n"))

    async def test_evidence_is_the_entries_that_raised_it(self, rig: Rig) -> None:
        await people(rig)
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref))
        await raise_finding(
            rig, 1, finding(Severity.MEDIUM, evidence=(answer.receipt.index, 10_000))
        )
        (entry,) = await rig.alerts.evidence(ANALYST, await open_alert(rig))
        assert entry.index == answer.receipt.index

    @pytest.mark.parametrize(
        "change",
        [
            AlertChange(label="guilty"),
            AlertChange(note="x" * 4_001),
            AlertChange(state=AlertState.OPEN),
        ],
    )
    async def test_changes_that_make_no_sense_are_refused(
        self, rig: Rig, change: AlertChange
    ) -> None:
        await people(rig)
        await raise_finding(rig, 1, finding(Severity.MEDIUM))
        with pytest.raises(InvalidRequestError):
            await rig.alerts.change(ANALYST, await open_alert(rig), change)

    async def test_agents_have_no_business_with_alerts(self, rig: Rig) -> None:
        with pytest.raises(AccessDeniedError):
            await rig.alerts.page(AGENT, states=frozenset(), before=None, limit=1)
        with pytest.raises(AccessDeniedError):
            await rig.alerts.change(AUDITOR, "x", AlertChange(note="n"))


def _customer(key: str) -> CustomerPut:
    return CustomerPut(source="crm", source_key=key, region="eu")


class TestIntake:
    async def test_one_key_has_one_reference_and_shows_nothing_of_it(self, rig: Rig) -> None:
        first = await rig.enrolment.enrol(DIRECTORY, [_customer("17"), _customer("17")])
        second = await rig.enrolment.enrol(DIRECTORY, [_customer("17")])
        assert first == second
        assert "17" not in first["crm", "17"] or len(first["crm", "17"]) > 16

    @pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00b"])
    async def test_keys_that_can_name_nobody_are_refused(self, rig: Rig, key: str) -> None:
        with pytest.raises(InvalidRequestError):
            await rig.enrolment.enrol(DIRECTORY, [_customer(key)])

    async def test_each_service_asks_for_its_scope(self, rig: Rig) -> None:
        bare = make_caller(scopes=frozenset())
        with pytest.raises(AccessDeniedError):
            await rig.enrolment.enrol(bare, [_customer("1")])
        with pytest.raises(AccessDeniedError):
            await rig.cases.put(bare, _case("k", "r"))
        with pytest.raises(AccessDeniedError):
            await rig.directory.put(bare, [row_of(AGENT)])
        with pytest.raises(AccessDeniedError):
            await rig.work_lists.propose(bare, _list("w", ()))

    async def test_a_case_may_mint_its_customer_and_twice_is_once(self, rig: Rig) -> None:
        put = replace(_case("k1", None), source="crm", source_key="5")
        first = await rig.cases.put(DIRECTORY, put)
        before = len(rig.log())
        assert await rig.cases.put(DIRECTORY, put) == first
        assert len(rig.log()) == before

    async def test_changes_of_a_case_are_entries(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        put = _case("k1", ref)
        await rig.cases.put(DIRECTORY, put)
        await rig.cases.put(
            DIRECTORY,
            replace(
                put,
                closed_at=9,
                assignments=(AssignmentPut(agent="a1", how="inbound", from_at=2, to_at=9),),
            ),
        )
        bodies = [
            (e.kind, e.event.body.get("open", e.event.body.get("start")))
            for e in rig.log()
            if e.kind in {EntryKind.CASE, EntryKind.ASSIGNMENT}
        ]
        assert bodies == [
            (EntryKind.CASE, True),
            (EntryKind.ASSIGNMENT, True),
            (EntryKind.CASE, False),
            (EntryKind.ASSIGNMENT, False),
        ]

    async def test_cases_that_make_no_sense_are_refused(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        bad_how = (AssignmentPut(agent="a", how="magic", from_at=1),)
        bad_end = (AssignmentPut(agent="a", how="qa", from_at=5, to_at=4),)
        for case in (
            _case("k", None),
            replace(_case("k", ref), source_key="1"),
            replace(_case("k", ref), closed_at=0),
            replace(_case("k", ref), assignments=bad_how),
            replace(_case("k", ref), assignments=bad_end),
        ):
            with pytest.raises(InvalidRequestError):
                await rig.cases.put(DIRECTORY, case)
        with pytest.raises(NotFoundError):
            await rig.cases.put(DIRECTORY, _case("k", "nobody"))

    async def test_a_case_does_not_change_its_customer(self, rig: Rig) -> None:
        one, other = await rig.customers(2)
        await rig.cases.put(DIRECTORY, _case("k1", one))
        with pytest.raises(ConflictError):
            await rig.cases.put(DIRECTORY, _case("k1", other))

    async def test_the_directory_records_changes_only(self, rig: Rig) -> None:
        assert await rig.directory.put(DIRECTORY, [row_of(AGENT)]) == 1
        assert await rig.directory.put(DIRECTORY, [row_of(AGENT)]) == 0
        assert await rig.directory.get(TENANT, "a1") == row_of(AGENT)
        assert await rig.directory.list(ANALYST) == [row_of(AGENT)]
        with pytest.raises(AccessDeniedError):
            await rig.directory.list(AGENT)

    async def test_people_that_make_no_sense_are_refused(self, rig: Rig) -> None:
        for row in (
            replace(row_of(AGENT), id=""),
            replace(row_of(AGENT), id="system"),
            replace(row_of(AGENT), line=("a1",)),
        ):
            with pytest.raises(InvalidRequestError):
                await rig.directory.put(DIRECTORY, [row])
        with pytest.raises(AccessDeniedError):
            await rig.directory.put(DIRECTORY, [replace(row_of(AGENT), tenant="other")])


def _case(case_id: str, ref: str | None) -> CasePut:
    return CasePut(
        id=case_id,
        customer=ref,
        channel="phone",
        opened_at=1,
        assignments=(AssignmentPut(agent="a1", how="inbound", from_at=2),),
    )


def _list(list_id: str, refs: tuple[str, ...], ends_at: int = DAY) -> WorkListPut:
    return WorkListPut(
        id=list_id, team="team-1", campaign="spring", starts_at=0, ends_at=ends_at, customers=refs
    )


class TestWorkLists:
    LEAD = make_caller("lead-9", role=Role.LEAD, team="outreach", line=("head-9",))
    OTHER = make_caller("lead-8", role=Role.LEAD, team="sales", line=("head-8",))

    async def test_a_list_counts_once_another_line_approved_it(self, rig: Rig) -> None:
        on_list, off_list = await rig.customers(2)
        await rig.directory.put(DIRECTORY, [row_of(self.LEAD), row_of(self.OTHER)])
        put = _list("w1", (on_list,), rig.clock.now() + DAY)
        put = replace(put, starts_at=rig.clock.now() - 1)
        await rig.work_lists.propose(self.LEAD, put)
        ask = rig.asks(on_list, purpose="outreach")
        assert isinstance(await rig.broker.view(AGENT, ask), Refused)
        with pytest.raises(AccessDeniedError):
            await rig.work_lists.approve(self.LEAD, "w1")
        with pytest.raises(AccessDeniedError):
            await rig.work_lists.approve(AGENT, "w1")
        await rig.work_lists.approve(self.OTHER, "w1")
        answer = await rig.broker.view(AGENT, ask)
        assert isinstance(answer, Served)
        assert rig.log()[answer.receipt.index].event.link == "campaign"
        off = await rig.broker.view(AGENT, rig.asks(off_list, purpose="outreach"))
        assert isinstance(off, Refused)
        with pytest.raises(ConflictError):
            await rig.work_lists.approve(self.OTHER, "w1")
        with pytest.raises(ConflictError):
            await rig.work_lists.propose(self.LEAD, put)

    async def test_lists_that_make_no_sense_are_refused(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        for put in (
            _list("w", ()),
            _list("w", (ref,), 0),
            _list("w", (ref,), 93 * DAY),
            _list("w", (ref, "nobody")),
        ):
            with pytest.raises(InvalidRequestError):
                await rig.work_lists.propose(self.LEAD, put)
        with pytest.raises(NotFoundError):
            await rig.work_lists.approve(self.OTHER, "w-none")


class TestAuditing:
    async def test_both_ways_give_the_same_views_and_asking_is_an_entry(self, rig: Rig) -> None:
        ref, other = await rig.customers(2)
        for customer in (ref, other, ref):
            await rig.broker.view(AGENT, rig.asks(customer, await rig.case(customer)))
        kinds = (EntryKind.VIEW,)
        by_customer = await rig.auditing.views(
            AUDITOR, LogQuery(tenant=TENANT, ref=ref, kinds=kinds)
        )
        assert [e.refs for e in by_customer] == [(ref,), (ref,)]
        by_agent = await rig.auditing.views(
            AUDITOR, LogQuery(tenant=TENANT, agent_id="a1", kinds=kinds)
        )
        assert len(by_agent) == 3
        asked = [e for e in rig.log() if e.kind is EntryKind.AUDIT_QUERY]
        assert [e.refs for e in asked] == [(ref,), ()]

    async def test_pages_follow_one_another_without_gap_or_repeat(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        case = await rig.case(ref)
        for _ in range(7):
            await rig.broker.view(AGENT, rig.asks(ref, case))
        query = LogQuery(tenant=TENANT, ref=ref, kinds=(EntryKind.VIEW,), limit=3)
        seen: list[int] = []
        while page := await rig.auditing.views(AUDITOR, query):
            seen += [e.index for e in page]
            query = replace(query, before=page[-1].index)
        assert len(seen) == len(set(seen)) == 7
        assert seen == sorted(seen, reverse=True)

    async def test_who_may_read(self, rig: Rig) -> None:
        for caller, query in (
            (AGENT, LogQuery(tenant=TENANT)),
            (AUDITOR, LogQuery(tenant="other")),
        ):
            with pytest.raises(AccessDeniedError):
                await rig.auditing.views(caller, query)
        with pytest.raises(InvalidRequestError):
            await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, limit=501))
        with pytest.raises(NotFoundError):
            await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, ref="nobody"))
        with pytest.raises(NotFoundError):
            await rig.auditing.checkpoint()

    @pytest.mark.parametrize("fmt", list(ExportFormat))
    async def test_an_export_holds_each_entry_once_and_its_manifest_fits(
        self, rig: Rig, fmt: ExportFormat
    ) -> None:
        (ref,) = await rig.customers(1)
        case = await rig.case(ref)
        for _ in range(5):
            await rig.broker.view(AGENT, rig.asks(ref, case))
        size = len(rig.log())
        pieces = [p async for p in await rig.auditing.export(AUDITOR, fmt, LogQuery(tenant=TENANT))]
        content = b"".join(pieces)
        tenant_entries = [e for e in rig.log()[:size] if e.event.tenant == TENANT]
        header = 1 if fmt is ExportFormat.CSV else 0
        assert len(content.splitlines()) == len(tenant_entries) + header
        exports = [e for e in rig.log() if e.kind is EntryKind.EXPORT]
        assert exports[0].refs == (ref,)
        digest = hashlib.sha256(content).hexdigest()
        assert exports[-1].event.body["sha256"] == digest
        assert digest.encode() in await rig.auditing.manifest(AUDITOR, digest)
        with pytest.raises(NotFoundError):
            await rig.auditing.manifest(replace(AUDITOR, tenant="other"), digest)
        for name in ("0" * 64, "../high-water"):
            with pytest.raises(NotFoundError):
                await rig.auditing.manifest(AUDITOR, name)
        for caller in (AGENT, ANALYST):
            with pytest.raises(AccessDeniedError):
                await rig.auditing.export(caller, fmt, LogQuery(tenant=TENANT))
            with pytest.raises(AccessDeniedError):
                await rig.auditing.manifest(caller, digest)

    async def test_every_published_entry_has_a_proof(self, rig: Rig) -> None:
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
        proof = parse_tlog_proof(await rig.auditing.proof(answer.receipt.index))
        assert proof.index == answer.receipt.index
        assert b"\n\nt\n" in await rig.auditing.proof(0)
        with pytest.raises(NotFoundError):
            await rig.auditing.proof(10_000)
