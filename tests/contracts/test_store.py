"""What every store must do, on each engine."""

from dataclasses import replace

import pytest

from guard import quotas
from guard.clock import DAY, HOUR, Micros, Rate
from guard.errors import ConflictError, ForkError, StoreUnavailableError
from guard.ports import UnitOfWork
from guard.quotas import Binding
from guard.rows import (
    AlertState,
    ApiKeyRow,
    ResponseKind,
    SessionRow,
)
from guard.store import SqlStore
from policies.model import Measure, Mode, Risk, Tier, Window
from tests.support.makers import (
    NOON,
    TENANT,
    make_alert,
    make_assignment,
    make_budget,
    make_case,
    make_mode,
    make_principal,
    make_query,
    make_response,
    make_subject,
    make_work_list,
)

KEY = "agent:acme/a1"


def add_twice(rows: UnitOfWork) -> None:
    rows.put_principal(make_principal("a2"))
    rows.add_subjects([make_subject("c1"), make_subject("c1")])


def test_directory_keeps_what_it_is_given(store: SqlStore) -> None:
    first, second = make_principal("a2"), make_principal("a1", shift=None)
    with store.begin() as rows:
        rows.put_principal(first)
        rows.put_principal(second)
        rows.put_principal(replace(first, team="team-9", is_active=False))
        rows.put_principal(make_principal("a1", tenant="other"))
    with store.read() as view:
        assert view.principal(TENANT, "a2") == replace(first, team="team-9", is_active=False)
        assert [row.id for row in view.principals(TENANT)] == ["a1", "a2"]
        assert view.principal(TENANT, "a1") == second
        assert view.principal(TENANT, "nobody") is None


def test_subjects_are_found_by_reference_and_by_blind_index(store: SqlStore) -> None:
    row = make_subject("c1", tier=Tier.VIP, is_decoy=True, sealed_key=None)
    with store.begin() as rows:
        rows.add_subjects([row, make_subject("c2")])
        assert rows.lock_subjects({"c2", "c1", "c9"}).keys() == {"c1", "c2"}
        rows.advance_subjects({"c2": 7})
        assert rows.lock_subjects(set()) == {}
    with store.read() as view:
        assert view.subject(TENANT, "c1") == row
        assert view.subject("other", "c1") is None
        assert view.subject_by_blind(TENANT, "crm", row.key_blind) == row
        assert view.subject_by_blind(TENANT, "erp", row.key_blind) is None
        assert view.subjects({"c2", "c9"}) == {"c2": make_subject("c2", next_n=7)}
        assert view.subjects([]) == {}


def test_second_subject_with_the_same_source_key_is_a_conflict(store: SqlStore) -> None:
    with pytest.raises(ConflictError), store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2", key_blind=b"blind-c1")])
    with store.read() as view:
        assert view.subjects({"c1", "c2"}) == {}


def test_cases_and_assignments_are_replaced_by_their_keys(store: SqlStore) -> None:
    later = make_assignment(agent_id="a2", from_at=NOON, how="transfer")
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_case(make_case())
        rows.put_case(make_case(closed_at=NOON))
        rows.put_assignment(later)
        rows.put_assignment(make_assignment())
        rows.put_assignment(make_assignment(to_at=NOON))
    with store.read() as view:
        assert view.case(TENANT, "k1") == make_case(closed_at=NOON)
        assert view.case("other", "k1") is None
        assert view.assignments(TENANT, "k1") == [make_assignment(to_at=NOON), later]


def test_work_list_keeps_its_members_unless_new_ones_are_named(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2")])
        rows.put_work_list(make_work_list(approved_by=None), ["c1", "c1"])
        rows.put_work_list(make_work_list(), None)
    asked = make_query(purpose="outreach", case_id=None)
    with store.read() as view:
        assert view.work_list(TENANT, "w1") == make_work_list()
        assert view.work_list(TENANT, "w2") is None
        assert view.situations([asked])[0].work_list == make_work_list()
    with store.begin() as rows:
        rows.put_work_list(make_work_list(), ["c2"])
    with store.read() as view:
        assert view.situations([asked])[0].work_list is None
        assert view.situations([replace(asked, ref="c2")])[0].work_list == make_work_list()


def test_situation_gathers_what_the_broker_needs(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2", tenant="other")])
        rows.put_case(make_case("k1"))
        rows.put_case(make_case("k2"))
        rows.put_case(make_case("k3", closed_at=NOON))
        rows.put_case(make_case("k4"))
        rows.put_assignment(make_assignment("k1", agent_id="a2"))
        rows.put_assignment(make_assignment("k2"))
        rows.put_assignment(make_assignment("k3"))
        rows.put_assignment(make_assignment("k4", to_at=NOON))
        rows.put_mode(make_mode())
        rows.put_response(make_response(kind=ResponseKind.MASK_MORE))
    with store.read() as view:
        mine, foreign, unknown = view.situations(
            [make_query(), make_query(ref="c2"), make_query(ref="c9", case_id="k9", keys=())]
        )
    assert mine.subject == make_subject("c1")
    assert mine.case == make_case("k1")
    assert mine.assignments == (make_assignment("k1", agent_id="a2"),)
    assert mine.own_open_cases == ("k2",)
    assert mine.work_list is None
    assert (mine.risk, mine.is_suspended, mine.mode) == (Risk.MASK_MORE, False, Mode.OBSERVE)
    assert foreign.subject is None
    assert foreign.own_open_cases == ()
    assert (unknown.subject, unknown.case, unknown.risk) == (None, None, Risk.NONE)


def test_no_situation_needs_no_statement(store: SqlStore) -> None:
    with store.read() as view:
        assert view.situations([]) == []
        assert view.situations([make_query(case_id=None)])[0].mode is Mode.ENFORCE


def test_responses_set_and_lift_what_admission_locks(store: SqlStore) -> None:
    notify = make_response("r2", kind=ResponseKind.NOTIFY, ends_at=NOON + DAY)
    suspend = make_response("r1")
    with store.begin() as rows:
        rows.put_response(suspend)
        rows.put_response(notify)
        locked = rows.lock_principals([KEY, "agent:acme/a2"], NOON)
        assert locked[KEY].suspended_until == suspend.ends_at
        assert locked[KEY].risk is Risk.NOTIFIED
        assert locked["agent:acme/a2"].suspended_until is None
        assert rows.lock_principals([KEY], NOON + DAY)[KEY].risk is Risk.NONE
        assert rows.lock_principals([KEY])[KEY].risk is Risk.NOTIFIED
        assert rows.lock_principals([]) == {}
    with store.begin() as rows:
        rows.put_response(replace(suspend, ended_at=NOON + 1))
        assert rows.lock_principals([KEY], NOON + 2)[KEY].suspended_until == NOON + 1
    with store.read() as view:
        assert view.response(TENANT, "r2") == notify
        assert view.response(TENANT, "r9") is None
        assert {row.id for row in view.responses(TENANT, key=KEY, active_at=None)} == {"r1", "r2"}
        assert view.responses(TENANT, key=None, active_at=NOON + 1) == [notify]
        assert view.responses("other", key=KEY, active_at=None) == []


def test_a_matter_has_one_unfinished_alert(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.put_alert(make_alert("01", state=AlertState.DISMISSED))
        rows.put_alert(make_alert("02"))
    with pytest.raises(ConflictError), store.begin() as rows:
        rows.put_alert(make_alert("03"))
    with store.read() as view:
        assert view.unfinished_alert(TENANT, "agent:a1") == make_alert("02")
        assert view.unfinished_alert(TENANT, "agent:a2") is None
        assert view.alert(TENANT, "01") == make_alert("01", state=AlertState.DISMISSED)
        assert view.alert("other", "01") is None


def test_alert_pages_go_from_new_to_old(store: SqlStore) -> None:
    with store.begin() as rows:
        for n in range(5):
            rows.put_alert(make_alert(f"0{n}", key=f"agent:{n}"))
    with store.read() as view:
        first = view.alerts(TENANT, states=list(AlertState), before=None, limit=2)
        rest = view.alerts(TENANT, states=list(AlertState), before=first[-1].id, limit=9)
        assert [row.id for row in first + rest] == ["04", "03", "02", "01", "00"]
        assert view.alerts(TENANT, states=[AlertState.CONFIRMED], before=None, limit=9) == []


def test_credentials_and_replies_are_kept(store: SqlStore) -> None:
    key = ApiKeyRow(
        id="k",
        tenant=TENANT,
        client="desk",
        digest=b"d" * 32,
        scopes=frozenset({"views:write", "alerts:read"}),
        may_assert=True,
        expires_at=None,
        revoked_at=NOON,
    )
    session = SessionRow(
        digest=b"s" * 32,
        tenant=TENANT,
        principal_id="a1",
        csrf="x",
        created_at=1,
        seen_at=2,
        mfa_at=1,
    )
    with store.begin() as rows:
        rows.put_api_key(key)
        rows.put_session(session)
        rows.put_session(replace(session, seen_at=3))
        rows.put_idempotent(TENANT, "a1", "once", (b"first", 201, b"{}"), NOON)
        rows.put_idempotent(TENANT, "a1", "once", (b"second", 409, b""), NOON)
        rows.put_outbox_position("w", 4)
        rows.put_outbox_position("w", 5)
    with store.read() as view:
        assert view.api_key("k") == key
        assert view.session(b"s" * 32) == replace(session, seen_at=3)
        assert view.idempotent(TENANT, "a1", "once") == (b"first", 201, b"{}")
        assert view.idempotent(TENANT, "a2", "once") is None
        assert (view.outbox_position("w"), view.outbox_position("v")) == (5, 0)
    with store.begin() as rows:
        rows.drop_session(b"s" * 32)
    with store.read() as view:
        assert view.session(b"s" * 32) is None
        assert view.api_key("l") is None


def test_settings_are_kept(store: SqlStore) -> None:
    with store.begin() as rows:
        assert rows.clock_rate() is None
        rows.put_clock_rate(Rate(origin=1, wall_origin=2, rate=1.0))
        rows.put_clock_rate(Rate(origin=1, wall_origin=2, rate=60.0))
        rows.put_facts({"f1": {"role": "agent", "on_shift": True}})
        rows.put_facts({"f1": {"role": "forged"}, "f2": {}})
        rows.put_bundle("d1", {"a.cedar": b"permit", "b.toml": b""})
        rows.put_mode(make_mode("m2", proposed_at=NOON + 1))
        rows.put_mode(make_mode("m1"))
    with store.read() as view:
        assert view.clock_rate() == Rate(origin=1, wall_origin=2, rate=60.0)
        assert view.facts("f1") == {"role": "agent", "on_shift": True}
        assert view.facts("f9") is None
        assert view.bundle("d1") == {"a.cedar": b"permit", "b.toml": b""}
        assert view.bundle("d9") is None
        assert [row.id for row in view.modes(TENANT)] == ["m1", "m2"]


def test_an_error_undoes_the_transaction(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as rows:
        rows.put_principal(make_principal(shift=1 // len(rows.principals(TENANT))))
    with store.read() as view:
        assert view.principal(TENANT, "a1") is None


def test_an_error_in_a_savepoint_undoes_its_block_alone(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.put_principal(make_principal("a1"))
        with pytest.raises(ConflictError), rows.savepoint():
            add_twice(rows)
        rows.put_principal(make_principal("a3"))
    with store.read() as view:
        assert [row.id for row in view.principals(TENANT)] == ["a1", "a3"]


def test_a_reader_keeps_its_snapshot(store: SqlStore) -> None:
    with store.read() as view:
        assert view.principals(TENANT) == []
        with store.begin() as rows:
            rows.put_principal(make_principal())
        assert view.principals(TENANT) == []
    with store.read() as view:
        assert len(view.principals(TENANT)) == 1


def test_check_passes_and_leaves_nothing(store: SqlStore) -> None:
    store.check()
    with store.read() as view:
        assert view.head() == (0, ())


def test_a_checkpoint_of_a_size_is_signed_once(store: SqlStore) -> None:
    with store.begin() as rows:
        assert rows.checkpoint() is None
        rows.put_checkpoint(2, b"r" * 32, b"note-2", NOON)
        rows.put_checkpoint(10, b"s" * 32, b"note-10", NOON)
        rows.put_checkpoint(2, b"r" * 32, b"note-2", NOON + 1)
    with pytest.raises(ForkError), store.begin() as rows:
        rows.put_checkpoint(2, b"x" * 32, b"note-2", NOON)
    with store.read() as view:
        assert view.checkpoint() == b"note-10"


def test_failures_hold_neither_statements_nor_values(store: SqlStore) -> None:
    canary = "canary-4711"
    with pytest.raises((ConflictError, StoreUnavailableError)) as caught, store.begin() as rows:
        rows.put_case(make_case(ref=canary))
    assert canary not in str(caught.value)
    assert "INSERT" not in str(caught.value)
    assert caught.value.__suppress_context__


BINDINGS = tuple(
    Binding(budget=make_budget(measure.value, measure=measure, window=window), key=KEY, limit=9)
    for measure in (Measure.VIEWS, Measure.CUSTOMERS)
    for window in Window
)


def view_once(store: SqlStore, ref: str, at: Micros) -> None:
    with store.begin() as rows:
        state = rows.lock_budgets({KEY}, {(KEY, ref)}, at)
        assert isinstance(quotas.consume(state, BINDINGS, ref, at), quotas.Spent)
        rows.save_budgets(state)


def used(store: SqlStore, at: Micros) -> list[int]:
    """Views and customers of the hour, then of the rolling day."""
    with store.read() as view:
        state = view.budget_state({KEY}, (), at)
    return [status.used for status in quotas.statuses(state, BINDINGS, at)]


def test_counters_come_back_and_cursors_pass_what_expired(store: SqlStore) -> None:
    view_once(store, "c1", NOON)
    view_once(store, "c1", NOON + 1)
    view_once(store, "c2", NOON + 2 * HOUR)
    assert used(store, NOON + 2 * HOUR) == [1, 3, 1, 2]
    # The slot of noon ends at 12:10; the mark of c1 is exactly a day old one tick after noon.
    assert used(store, NOON + DAY) == [0, 3, 0, 2]
    assert used(store, NOON + DAY + 1) == [0, 3, 0, 1]
    assert used(store, NOON + DAY + quotas.SLOT) == [0, 1, 0, 1]
    view_once(store, "c1", NOON + DAY + quotas.SLOT)
    assert used(store, NOON + DAY + quotas.SLOT) == [1, 2, 1, 2]
    with store.read() as view:
        state = view.budget_state({KEY}, {(KEY, "c1"), (KEY, "c2")}, NOON + DAY + quotas.SLOT)
        assert len(view.counters([KEY])) == 4
    assert state.marks == {(KEY, "c1"): NOON + DAY + quotas.SLOT, (KEY, "c2"): NOON + 2 * HOUR}
    assert state.oldest == {(KEY, "customers"): NOON + 2 * HOUR, (KEY, "views"): NOON + 2 * HOUR}


def test_slots_of_an_act_expire_with_their_own_counter(store: SqlStore) -> None:
    budget = make_budget("searches", measure=Measure.SEARCHES, limit=9)
    searches = (Binding(budget=budget, key=f"{KEY}#searches", limit=9),)
    for at in (NOON, NOON + HOUR):
        with store.begin() as rows:
            state = rows.lock_budgets({searches[0].key}, set(), at)
            quotas.consume(state, searches, "", at)
            rows.save_budgets(state)
    for at, left in ((NOON + HOUR, 2), (NOON + DAY + quotas.SLOT, 1), (NOON + 2 * DAY, 0)):
        with store.read() as view:
            state = view.budget_state({searches[0].key}, set(), at)
        (status,) = quotas.statuses(state, searches, at)
        assert status.used == left


def test_marks_outside_every_window_are_dropped(store: SqlStore) -> None:
    view_once(store, "c1", NOON)
    view_once(store, "c2", NOON + 3 * DAY)
    with store.read() as view:
        state = view.budget_state({KEY}, {(KEY, "c1"), (KEY, "c2")}, NOON)
    assert state.marks == {(KEY, "c2"): NOON + 3 * DAY}


def test_unknown_keys_have_an_empty_state(store: SqlStore) -> None:
    with store.begin() as rows:
        state = rows.lock_budgets({KEY}, {(KEY, "c1")}, NOON)
        rows.save_budgets(state)
    assert (state.counters, state.marks, state.slots, state.expired) == ({}, {}, {}, {})
    with store.read() as view:
        assert view.counters([KEY]) == []
        assert view.counters([]) == []
        assert view.budget_state([], [], NOON).counters == {}
