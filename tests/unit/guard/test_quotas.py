import pytest

from guard import quotas
from guard.clock import DAY, HOUR
from guard.entries import Charge, EntryKind, OpenedEntry
from guard.quotas import SLOT, BudgetStatus, Charged, Exceeded, Spent
from guard.rows import BudgetState
from policies.model import Act, ActorKind, Budget, BudgetKey, Measure, Purpose, Risk, Window
from tests.support.makers import NOON, make_budget, make_entry

AGENT, ACTOR = "agent:acme/a1", "actor:acme/bot"
BOTH = {BudgetKey.AGENT: AGENT, BudgetKey.ACTOR: ACTOR}


def empty() -> BudgetState:
    return BudgetState(counters={}, marks={}, expired={}, slots={})


def bound(*budgets: Budget, risk: Risk = Risk.NONE) -> tuple[quotas.Binding, ...]:
    return quotas.bind(budgets, keys=BOTH, kind=ActorKind.AI, purpose=Purpose.AI_SESSION, risk=risk)


def test_a_budget_binds_by_key_kind_and_purpose() -> None:
    budgets = [
        make_budget("all"),
        make_budget("bot", key=BudgetKey.ACTOR),
        make_budget("people", kind=ActorKind.HUMAN),
        make_budget("ai", kind=ActorKind.AI),
        make_budget("outreach", purpose=Purpose.OUTREACH),
        make_budget("session", purpose=Purpose.AI_SESSION),
    ]
    assert [(b.budget.name, b.key) for b in bound(*budgets)] == [
        ("all", AGENT),
        ("bot", ACTOR),
        ("ai", f"{AGENT}#ai"),
        ("session", f"{AGENT}#ai_session"),
    ]
    alone = quotas.bind(
        budgets,
        keys={BudgetKey.AGENT: AGENT},
        kind=ActorKind.HUMAN,
        purpose=Purpose.OUTREACH,
        risk=Risk.NONE,
    )
    assert [b.budget.name for b in alone] == ["all", "people", "outreach"]


def test_risk_replaces_the_limit_on_its_rung_only() -> None:
    budget = make_budget(limit=50, by_risk={Risk.MASK_MORE: 10})
    limits = [bound(budget, risk=risk)[0].limit for risk in Risk]
    assert limits == [50, 50, 10, 50]


def test_a_purposes_own_budget_is_not_spent_by_other_purposes() -> None:
    state = empty()
    own = bound(make_budget("session", limit=1, purpose=Purpose.AI_SESSION))
    general = bound(make_budget("all", limit=1))
    assert isinstance(quotas.consume(state, general, "c1", NOON), Spent)
    assert isinstance(quotas.consume(state, own, "c1", NOON), Spent)
    assert isinstance(quotas.consume(state, own, "c1", NOON), Exceeded)


def test_each_act_is_charged_on_its_own_budgets() -> None:
    budgets = [
        make_budget("views", limit=1),
        make_budget("searches", measure=Measure.SEARCHES, limit=1),
        make_budget("tries", measure=Measure.VERIFICATIONS, key=BudgetKey.CUSTOMER, limit=1),
    ]
    keys = {BudgetKey.AGENT: AGENT, BudgetKey.CUSTOMER: "customer:acme/c1"}

    def binding(act: Act) -> tuple[quotas.Binding, ...]:
        return quotas.bind(
            budgets,
            keys=keys,
            kind=ActorKind.HUMAN,
            purpose=Purpose.SUPPORT_CASE,
            risk=Risk.NONE,
            act=act,
        )

    state, log = empty(), []
    for n, act in enumerate((Act.VIEW, Act.SEARCH, Act.VERIFY)):
        spent = quotas.consume(state, binding(act), "c1", NOON + n)
        assert isinstance(spent, Spent)
        log.append(Charged(at=NOON + n, ref="c1", charges=spent.charges))
        assert isinstance(quotas.peek(state, binding(act), "c1", NOON + n), Exceeded)
    assert [b.key for act in (Act.SEARCH, Act.VERIFY) for b in binding(act)] == [
        f"{AGENT}#searches",
        "customer:acme/c1#verifications",
    ]
    assert binding(Act.CONTACT) == ()
    assert state.counters == quotas.rebuild(log, NOON + 3).counters
    quotas.refund(state, log[1], NOON + 3)
    assert quotas.peek(state, binding(Act.SEARCH), "c1", NOON + 3) is None


def test_one_spent_budget_leaves_all_others_untouched() -> None:
    state = empty()
    views, customers = make_budget("v", limit=9), make_budget("c", measure=Measure.CUSTOMERS)
    none_left = make_budget("none", limit=0, key=BudgetKey.ACTOR)
    outcome = quotas.consume(state, bound(views, customers, none_left), "c1", NOON)
    assert outcome == Exceeded(("none",), NOON - NOON % SLOT + SLOT + DAY)
    assert [s.used for s in quotas.statuses(state, bound(views, customers), NOON)] == [0, 0]


def test_a_repeated_view_costs_a_view_and_no_customer() -> None:
    state = empty()
    budgets = bound(make_budget("v"), make_budget("c", measure=Measure.CUSTOMERS, limit=1))
    first = quotas.consume(state, budgets, "c1", NOON)
    again = quotas.consume(state, budgets, "c1", NOON + 1)
    assert isinstance(first, Spent)
    assert isinstance(again, Spent)
    assert [c.amount for c in first.charges] == [1, 1]
    assert [c.amount for c in again.charges] == [0, 1]
    assert again.before == {AGENT: NOON}
    assert isinstance(quotas.consume(state, budgets, "c2", NOON + 2), Exceeded)


def test_a_customer_that_left_the_window_is_new_again_to_the_microsecond() -> None:
    state = empty()
    budgets = bound(make_budget("c", measure=Measure.CUSTOMERS, limit=1))
    quotas.consume(state, budgets, "c1", NOON)
    state.expired[AGENT, Window.DAY] = [NOON]
    assert isinstance(quotas.peek(state, budgets, "c2", NOON + DAY - 1), Exceeded)
    assert quotas.peek(state, budgets, "c2", NOON + DAY) is None


def test_the_clock_hour_begins_anew() -> None:
    state = empty()
    budgets = bound(make_budget("h", window=Window.HOUR, limit=1))
    quotas.consume(state, budgets, "c1", NOON + HOUR - 1)
    assert quotas.peek(state, budgets, "c1", NOON + HOUR - 1) == Exceeded(("h",), NOON + HOUR)
    assert quotas.peek(state, budgets, "c1", NOON + HOUR) is None


def test_a_status_says_what_is_left_and_when_more_comes() -> None:
    state = empty()
    budgets = bound(make_budget("h", window=Window.HOUR), make_budget("d", limit=0))
    quotas.charge(state, budgets, "c1", NOON)
    assert quotas.statuses(state, budgets, NOON + 5) == (
        BudgetStatus(
            name="h",
            measure=Measure.VIEWS,
            window=Window.HOUR,
            limit=3,
            used=1,
            left=2,
            resets_at=NOON + HOUR,
        ),
        BudgetStatus(
            name="d",
            measure=Measure.VIEWS,
            window=Window.DAY,
            limit=0,
            used=1,
            left=0,
            resets_at=NOON + SLOT + DAY,
        ),
    )


def test_a_cursor_never_moves_back() -> None:
    state = empty()
    budgets = bound(make_budget("h", window=Window.HOUR, limit=1))
    quotas.consume(state, budgets, "c1", NOON + HOUR)
    assert isinstance(quotas.peek(state, budgets, "c1", NOON), Exceeded)


@pytest.mark.parametrize("later", [0, 2 * DAY])
def test_a_refund_gives_back_only_what_still_counts(later: int) -> None:
    state = empty()
    budgets = bound(
        make_budget("h", window=Window.HOUR),
        make_budget("d"),
        make_budget("c", measure=Measure.CUSTOMERS),
    )
    spent = quotas.charge(state, budgets, "c1", NOON)
    now = NOON + later
    state.expired[AGENT, Window.DAY] = [NOON]
    quotas.settle(state, now)
    quotas.refund(
        state, Charged(at=NOON, ref="c1", charges=spent.charges, before=spent.before), now
    )
    assert [s.used for s in quotas.statuses(state, budgets, now)] == [0, 0, 0]


def test_an_entry_of_the_log_tells_what_it_charged() -> None:
    charges = (Charge(key=AGENT, measure="views", amount=1),)
    view = opened(EntryKind.VIEW, charges)
    assert quotas.charged_in(view) == Charged(at=NOON, ref="c1", charges=charges)
    assert quotas.charged_in(opened(EntryKind.REFUSAL, ())) is None
    back = (Charge(key=AGENT, measure="views", amount=-1),)
    refund = opened(EntryKind.REFUND, back, {"of": "ab", "view_at": 5, "before": {AGENT: 3}})
    assert quotas.charged_in(refund) == Charged(
        at=NOON, ref="c1", charges=back, view_at=5, before={AGENT: 3}
    )


def opened(
    kind: EntryKind, charges: tuple[Charge, ...], body: dict[str, object] | None = None
) -> OpenedEntry:
    event = make_entry(kind, "c1", charges=charges, body=body or {}).event
    return OpenedEntry(index=0, entry_id="", kind=kind, event=event, refs=("c1",), subjects=())


@pytest.mark.parametrize("later", [0, HOUR, DAY, 2 * DAY])
def test_rebuilding_from_charges_gives_the_counters(later: int) -> None:
    state, log = empty(), []
    budgets = bound(
        make_budget("v", limit=99), make_budget("c", measure=Measure.CUSTOMERS, limit=9)
    )
    for n, ref in enumerate(["c1", "c2", "c1", "c3"]):
        at = NOON + n * 20 * 60_000_000
        spent = quotas.charge(state, budgets, ref, at)
        log.append(Charged(at=at, ref=ref, charges=spent.charges))
    state.expired[AGENT, Window.DAY] = sorted(state.marks.values())
    now = NOON + HOUR + later
    quotas.settle(state, now)
    assert state.counters == quotas.rebuild(log, now).counters


def test_rebuilding_keeps_the_mark_of_a_later_view_when_an_earlier_one_is_refunded() -> None:
    customers = (Charge(key=AGENT, measure="customers", amount=1),)
    back = (Charge(key=AGENT, measure="customers", amount=-1),)
    log = [
        Charged(at=NOON, ref="c1", charges=customers),
        Charged(at=NOON + HOUR, ref="c1", charges=customers),
        Charged(at=NOON + HOUR, ref="c1", charges=back, view_at=NOON),
    ]
    kept = quotas.rebuild(log, NOON + HOUR)
    assert kept.counters == quotas.rebuild(log[:2], NOON + HOUR).counters


def test_a_measure_without_an_act_is_bound_by_itself() -> None:
    mine = make_budget("mine", measure=Measure.REDACTIONS, by_risk={Risk.NOTIFIED: 2})
    others = [
        make_budget("views"),
        make_budget("of-nobody-here", measure=Measure.REDACTIONS, key=BudgetKey.ACTOR),
        make_budget("of-people", measure=Measure.REDACTIONS, kind=ActorKind.HUMAN),
        make_budget("of-a-purpose", measure=Measure.REDACTIONS, purpose=Purpose.OUTREACH),
    ]
    (bound,) = quotas.bind_measure(
        [mine, *others],
        Measure.REDACTIONS,
        keys={BudgetKey.AGENT: "agent:acme/desk"},
        kind=ActorKind.SERVICE,
        risk=Risk.NOTIFIED,
    )
    assert (bound.budget, bound.key, bound.limit) == (mine, "agent:acme/desk#redactions", 2)
