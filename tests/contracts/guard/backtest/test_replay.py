"""The log decided again, on both engines."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from guard.backtest import Replay, Report, replay
from guard.clock import MINUTE
from guard.entries import EntryKind, NewEntry, event_by
from guard.errors import ProofError
from guard.in_force import InForce
from guard.purposes.reports import AssignmentPut
from guard.store import SqlStore
from guard.store.tables import detail_event
from policies.bundle import load_bundle
from policies.engine import Engine
from policies.model import Mode, Role
from tests.contracts.guard.backtest.floor import (
    ANYBODY,
    BASE,
    CLUMSY,
    HIDDEN,
    PLAIN,
    SHUT,
    STRICT,
    a_day,
    confirm,
    work,
)
from tests.support.log import settle
from tests.support.makers import TENANT
from tests.support.people import (
    AGENT,
    ANALYST,
    DIRECTORY,
    SECOND,
    make_case_put,
    put_people,
    suspend,
)
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio
END = 1 << 62


def replayed(
    rig: Rig, files: dict[str, bytes], *, since: int = 0, until: int = END
) -> tuple[Report, Engine]:
    policy = InForce.of(load_bundle(files))
    with rig.read() as view:
        one = Replay.over(view, policy, rig.vault, tenant=TENANT, since=since, until=until)
        while one.step(view):
            pass
    return one.report(), policy.engine


async def test_the_sentence_says_what_would_have_been_stopped_and_at_what_price(rig: Rig) -> None:
    floor = await a_day(rig)
    await confirm(rig)
    report, _ = replayed(rig, STRICT)
    assert (report.bad, report.bad_stopped) == (floor.bad, floor.bad)
    assert report.sentence == (
        "this bundle would have stopped 5 of the 5 views behind confirmed alerts "
        "(0 customers seen instead of 4) and refused 0 of 5 honest ones (0.00 %)"
    )
    clumsy, _ = replayed(rig, CLUMSY)
    assert clumsy.sentence == (
        "this bundle would have stopped 5 of the 5 views behind confirmed alerts "
        "(0 customers seen instead of 4) and refused 2 of 5 honest ones (40.00 %), all in team "
        "team-2"
    )
    assert {(row.name, row.requests) for row in clumsy.refused_by} == {
        ("no-link", 5),
        ("no-transfers", 2),
    }


async def test_an_alert_that_nobody_confirmed_makes_nothing_bad(rig: Rig) -> None:
    await a_day(rig)
    report, _ = replayed(rig, STRICT)
    assert (report.bad, report.customers_seen) == (0, 0)
    assert report.sentence.startswith("nothing is confirmed to have been bad; this bundle would")
    # Her one view with a case behind it is honest work until somebody has confirmed the alert.
    assert report.honest == 6


async def test_the_same_bundle_changes_nothing(rig: Rig) -> None:
    await a_day(rig)
    report, _ = replayed(rig, BASE)
    assert (report.newly_refused, report.newly_allowed, report.classes) == (0, 0, ())
    assert report.decided == report.entries == 11


async def test_the_engine_is_asked_once_for_each_different_fact(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 3)
    monkeypatch.setattr(replay, "MAX_KEYS", 1)
    await a_day(rig)
    report, engine = replayed(rig, STRICT)
    different = {e.event.facts_id for e in rig.log() if e.event.facts_id}
    assert engine.evaluations == report.facts == len(different) == 3
    assert report.decided == 11


async def test_what_was_refused_and_would_be_allowed_is_counted(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    auditor = make_caller("aud", role=Role.AUDITOR)
    await rig.broker.view(auditor, rig.asks(ref))
    report, _ = replayed(rig, ANYBODY)
    assert (report.newly_allowed, report.newly_refused) == (1, 0)
    assert [(a.act, a.requests, a.newly_allowed) for a in report.acts] == [("view", 1, 1)]


async def test_fields_shown_more_or_less_openly_are_counted_by_class(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await work(rig, AGENT, [ref], how="inbound")
    for files, after, covered in ((PLAIN, "plain", 0), (SHUT, "redact", 1)):
        report, _ = replayed(rig, files)
        (row,) = report.classes
        assert (row.field_class, row.before, row.after, row.requests) == (
            "contact",
            "mask",
            after,
            1,
        )
        assert report.teams[0].honest_covered == covered


async def test_a_class_that_was_hidden_and_would_be_shown_is_named(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    with rig.store.begin() as rows:
        bundle = load_bundle(HIDDEN)
        rows.put_bundle(bundle.digest, HIDDEN)
    rig.policies.put(TENANT, bundle)
    await work(rig, AGENT, [ref], how="inbound")
    report, _ = replayed(rig, BASE)
    (row,) = report.classes
    assert (row.field_class, row.before, row.after) == ("contact", "hide", "mask")


async def test_what_no_policy_decided_is_named_and_not_dropped(rig: Rig) -> None:
    await a_day(rig)
    await suspend(rig)
    await rig.broker.view(AGENT, rig.asks("nobody"))
    await rig.broker.view(make_caller("a7"), rig.asks("nobody"))
    event = event_by(AGENT, EntryKind.OBSERVED, rig.clock.now())
    await rig.committer.run(lambda tx: tx.record(NewEntry(kind=EntryKind.OBSERVED, event=event)))
    report, _ = replayed(rig, STRICT)
    assert {(row.name, row.requests) for row in report.not_replayed} == {
        ("no policy decided it: refusal, suspended", 1),
        ("no policy decided it: refusal, unknown_customer", 1),
        ("no policy decided it: observed", 1),
    }
    assert report.entries == report.decided + 3


async def test_only_the_time_asked_for_is_replayed(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    for _ in range(3):
        await work(rig, AGENT, [ref], how="inbound")
        rig.clock.advance(MINUTE)
    now = rig.clock.now()
    report, _ = replayed(rig, STRICT, since=now - 2 * MINUTE - 2, until=now - MINUTE - 2)
    assert report.entries == 1


async def test_what_is_written_meanwhile_is_left_for_the_next_backtest(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await work(rig, AGENT, [ref], how="inbound")
    with rig.read() as view:
        one = Replay.over(
            view, InForce.of(load_bundle(STRICT)), rig.vault, tenant=TENANT, since=0, until=END
        )
    await work(rig, AGENT, [ref], how="inbound")
    while await rig.readers.read(one.step):
        pass
    assert one.report().entries == 1


async def test_a_clear_column_that_contradicts_its_entry_is_found(
    rig: Rig, store: SqlStore
) -> None:
    (ref,) = await rig.customers(1)
    await work(rig, AGENT, [ref], how="inbound")
    settle(store)
    with store._opened() as (connection, _):  # noqa: SLF001 - as somebody with the database would
        connection.execute(
            update(detail_event)
            .where(detail_event.c.kind == EntryKind.VIEW.value)
            .values(kind=EntryKind.FAILED.value)
        )
        connection.commit()
    with pytest.raises(ProofError, match="contradict"):
        replayed(rig, STRICT)


async def test_an_entry_that_was_erased_with_its_agent_is_counted(
    rig: Rig, store: SqlStore
) -> None:
    (ref,) = await rig.customers(1)
    await work(rig, AGENT, [ref], how="inbound")
    (view,) = [e for e in rig.log() if e.kind is EntryKind.VIEW]
    with store.read() as reading:
        (stored,) = reading.entries(view.index, 1)
    assert stored.sealed_event is not None
    settle(store)
    with store._opened() as (connection, _):  # noqa: SLF001 - as an erasure would
        connection.execute(
            update(detail_event)
            .where(detail_event.c.idx == view.index)
            .values(sealed=stored.sealed_event[:32])
        )
        connection.commit()
    report, _ = replayed(rig, STRICT)
    assert [(row.name, row.requests) for row in report.not_replayed] == [
        ("erased with its agent", 1)
    ]


async def test_what_a_mode_showed_beyond_the_decision_would_be_covered(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    row = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
    await put_people(rig)
    await rig.modes.approve(SECOND, row.id)
    await work(rig, AGENT, [ref], how="inbound")
    report, _ = replayed(rig, BASE)
    (change,) = report.classes
    assert (change.before, change.after) == ("plain", "mask")
    (team,) = report.teams
    assert (team.honest, team.honest_covered, team.honest_refused) == (1, 1, 0)


async def test_entries_of_before_a_bundle_that_is_lost_are_compared_by_what_they_showed(
    rig: Rig,
) -> None:
    (ref,) = await rig.customers(1)
    rig.policies.put(TENANT, load_bundle(PLAIN))
    await work(rig, AGENT, [ref], how="inbound")
    report, _ = replayed(rig, BASE)
    assert [(c.before, c.after) for c in report.classes] == [("plain", "mask")]


async def test_a_view_whose_case_came_late_is_honest_and_decided_as_it_was(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await work(rig, AGENT, [ref])
    before, _ = replayed(rig, STRICT)
    await rig.cases.put(DIRECTORY, make_case_put("k-late", ref))
    after, _ = replayed(rig, STRICT)
    assert (before.repaired, before.honest, before.newly_refused) == (0, 0, 1)
    # The bundle under test would not have known the case either.
    assert (after.repaired, after.honest, after.newly_refused) == (1, 1, 1)
    assert after.honest_refused == 1


async def test_a_view_that_a_late_case_explained_is_bad_only_as_evidence(rig: Rig) -> None:
    await a_day(rig)
    await confirm(rig)
    seen = [e for e in rig.log() if e.kind is EntryKind.VIEW and e.event.agent == "a9"]
    # Twice looked at and no evidence; once looked at and evidence.
    for n, ref in enumerate((seen[0].refs[0], seen[2].refs[0])):
        put = replace(
            make_case_put(f"k-late-{n}", ref),
            assignments=(AssignmentPut(agent="a9", how="inbound", from_at=2),),
        )
        await rig.cases.put(DIRECTORY, put)
    report, _ = replayed(rig, STRICT)
    assert (report.repaired, report.bad) == (3, 3)


async def test_parts_of_another_tenant_are_no_part_of_this_one(rig: Rig, store: SqlStore) -> None:
    (ref,) = await rig.customers(1)
    await work(rig, AGENT, [ref], how="inbound")
    settle(store)
    with store._opened() as (connection, _):  # noqa: SLF001 - as somebody with the database would
        connection.execute(update(detail_event).values(tenant="other"))
        connection.commit()
    policy = InForce.of(load_bundle(STRICT))
    with rig.read() as view:
        one = Replay.over(view, policy, rig.vault, tenant="other", since=0, until=END)
        with pytest.raises(ProofError, match="another tenant"):
            one.step(view)
