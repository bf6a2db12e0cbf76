"""Counting acts and customers against budgets.

A budget limits *distinct customers* or how often something is done (views, reveals, searches...) of
one key (the human, the AI agent that acts, the customer asked about, a work list) in the clock hour
(UTC) or in the rolling 24 hours. Everything here changes a `BudgetState` in
memory, which the store has locked and will save; time comes from the caller. Rules:

* a request is charged on all budgets that bind it or, refused, on none;
* a customer is named by what the vault says it is counted as, in keys and marks alike: charges stay
  in entries for ever, and must lead to nobody once the customer is erased;
* distinct customers are exact: a customer counts in a window iff its newest charged view lies in
  it, so a repeated view costs a view and no customer, and keeps the customer counted for longer;
* rolling counts of acts are exact to the slot of `SLOT`: a slot leaves the window whole, once its
  end is 24 hours old, so that no 24 hours ever hold more than the limit;
* nothing is ever counted by reading all rows: counters move, and a cursor (`Counter.edge`)
  subtracts what it passes;
* both windows of a charged key and measure are always kept, whatever the limits are today, so a
  limit that changes finds the true figure.

A budget that binds one purpose or one kind of actor counts that alone, under a key of its own: what
an AI agent views does not use up what its human may view. Every act but a view counts under a key
of its own too, so that the slots of a key hold one measure.
`rebuild` recomputes it all from the charges that the entries hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType

import msgspec

from guard.clock import DAY, HOUR, MINUTE, Micros
from guard.entries import Charge, EntryKind, OpenedEntry
from guard.rows import BudgetState, Counter
from policies.model import Act, ActorKind, Budget, BudgetKey, Measure, Purpose, Risk, Window

# Width of what leaves the rolling window of views at once: 145 rows a day for the busiest key,
# and at most 10 minutes of patience more than an exact window would ask.
SLOT: Micros = 10 * MINUTE

# What each act is charged as.
CHARGED: Mapping[Act, frozenset[Measure]] = MappingProxyType(
    {
        Act.VIEW: frozenset({Measure.VIEWS, Measure.CUSTOMERS}),
        Act.REVEAL: frozenset({Measure.REVEALS}),
        Act.LIST: frozenset({Measure.LISTINGS}),
        Act.SEARCH: frozenset({Measure.SEARCHES}),
        Act.VERIFY: frozenset({Measure.VERIFICATIONS}),
        Act.CONTACT: frozenset({Measure.CONTACTS}),
    }
)
_OF_A_VIEW = CHARGED[Act.VIEW]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A budget that binds a request: whose counter, and how much it may hold now."""

    budget: Budget
    key: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """What is left of one budget. `resets_at` is the earliest instant that can give some back."""

    name: str
    measure: Measure
    window: Window
    limit: int
    used: int
    left: int
    resets_at: Micros


@dataclass(frozen=True, slots=True)
class Spent:
    """The request passed. `before` keeps each key's earlier mark (0: none), for a refund."""

    charges: tuple[Charge, ...]
    before: Mapping[str, Micros] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The request would exceed these budgets; before `retry_at` nothing can change that."""

    budgets: tuple[str, ...]
    retry_at: Micros


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a `REFUND` entry: which entry, when its view was charged, the marks before it."""

    of: str
    view_at: Micros
    before: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The charges of one entry, as the log holds them.

    For a refund `view_at` is when the view that it takes back was charged, and `before` what that
    view's `Spent` held; the amounts are then negative.
    """

    at: Micros
    ref: str
    charges: tuple[Charge, ...]
    view_at: Micros | None = None
    before: Mapping[str, Micros] = field(default_factory=dict)


def charged_in(entry: OpenedEntry) -> Charged | None:
    """What an entry of the log charged or took back; None: nothing."""
    event = entry.event
    if not event.charges:
        return None
    # A search that found nobody is charged and is about nobody.
    ref = entry.refs[0] if entry.refs else ""
    if entry.kind is not EntryKind.REFUND:
        return Charged(at=event.at, ref=ref, charges=event.charges)
    refunded = msgspec.convert(event.body, Refunded)
    return Charged(
        at=event.at,
        ref=ref,
        charges=event.charges,
        view_at=refunded.view_at,
        before=refunded.before,
    )


def bind(
    budgets: Iterable[Budget],
    *,
    keys: Mapping[BudgetKey, str],
    kind: ActorKind,
    purpose: Purpose,
    risk: Risk,
    act: Act = Act.VIEW,
) -> tuple[Binding, ...]:
    """The budgets that bind `act` of a principal with these `keys`, at its present `risk`."""
    measures = CHARGED[act]
    return tuple(
        Binding(
            budget=budget,
            key=_counter_key(keys[budget.key], budget),
            limit=budget.by_risk.get(risk, budget.limit),
        )
        for budget in budgets
        if budget.key in keys
        and budget.measure in measures
        and budget.kind in (None, kind)
        and budget.purpose in (None, purpose)
    )


def bind_measure(
    budgets: Iterable[Budget],
    measure: Measure,
    *,
    keys: Mapping[BudgetKey, str],
    kind: ActorKind,
    risk: Risk,
) -> tuple[Binding, ...]:
    """As `bind`, for what no policy decides and no purpose narrows."""
    return tuple(
        Binding(
            budget=budget,
            key=_counter_key(keys[budget.key], budget),
            limit=budget.by_risk.get(risk, budget.limit),
        )
        for budget in budgets
        if budget.key in keys
        and budget.measure is measure
        and budget.kind in (None, kind)
        and budget.purpose is None
    )


def _counter_key(key: str, budget: Budget) -> str:
    """A budget counts apart what it binds: an act other than a view, a kind of actor, a purpose."""
    scope = [] if budget.measure in _OF_A_VIEW else [budget.measure.value]
    scope += [part.value for part in (budget.kind, budget.purpose) if part is not None]
    return "#".join((key, *scope))


def rolling_edge(now: Micros) -> Micros:
    """Marks at or before this have left the rolling window."""
    return now - DAY


def first_live_slot(now: Micros) -> Micros:
    """Slots that start before this have left the rolling window."""
    edge = rolling_edge(now)
    return edge - edge % SLOT


def hour_start(now: Micros) -> Micros:
    """Start of the clock hour."""
    return now - now % HOUR


def peek(state: BudgetState, bindings: Sequence[Binding], ref: str, now: Micros) -> Exceeded | None:
    """Whether one more view of `ref` would exceed a budget; only moves cursors to `now`."""
    over = []
    for binding in bindings:
        cost = _cost(state, binding, ref, now)
        if cost and _used(state, binding, now).used + cost > binding.limit:
            over.append(binding)
    if not over:
        return None
    return Exceeded(
        budgets=tuple(binding.budget.name for binding in over),
        retry_at=max(_resets_at(state, binding, now) for binding in over),
    )


def consume(
    state: BudgetState, bindings: Sequence[Binding], ref: str, now: Micros
) -> Spent | Exceeded:
    """Charge one view of `ref` on all `bindings`, or on none if one would be exceeded."""
    exceeded = peek(state, bindings, ref, now)
    return charge(state, bindings, ref, now) if exceeded is None else exceeded


def charge(state: BudgetState, bindings: Sequence[Binding], ref: str, now: Micros) -> Spent:
    """Charge one view of `ref` whatever the limits say: what a mode that refuses nothing does."""
    wanted = sorted({(binding.key, binding.budget.measure) for binding in bindings})
    charges, before = [], {}
    for key, measure in wanted:
        if measure is not Measure.CUSTOMERS:
            amount = _charge_act(state, key, measure, now)
        else:
            before[key] = state.marks.get((key, ref), 0)
            amount = _charge_customer(state, key, ref, now)
        charges.append(Charge(key=key, measure=measure.value, amount=amount))
    return Spent(tuple(charges), before)


def taken_back(spent: Charged) -> tuple[Charge, ...]:
    """The charges of the entry that refunds `spent`."""
    return tuple(Charge(key=c.key, measure=c.measure, amount=-c.amount) for c in spent.charges)


def refund(state: BudgetState, spent: Charged, now: Micros) -> None:
    """Take back what a view charged at `spent.at`, as if it had never been."""
    for one in spent.charges:
        if one.measure != Measure.CUSTOMERS.value:
            _refund_act(state, one.key, Measure(one.measure), spent.at, now)
        else:
            _refund_customer(state, one.key, spent, now)


def settle(state: BudgetState, now: Micros) -> None:
    """Move every cursor to `now`."""
    for key, measure, window in list(state.counters):
        _counter(state, key, Measure(measure), window, now)


def statuses(
    state: BudgetState, bindings: Sequence[Binding], now: Micros
) -> tuple[BudgetStatus, ...]:
    """What is left of each budget; moves cursors to `now`."""
    found = []
    for binding in bindings:
        budget = binding.budget
        used = _used(state, binding, now).used
        found.append(
            BudgetStatus(
                name=budget.name,
                measure=budget.measure,
                window=budget.window,
                limit=binding.limit,
                used=used,
                left=max(0, binding.limit - used),
                resets_at=_resets_at(state, binding, now),
            )
        )
    return tuple(found)


def rebuild(charged: Iterable[Charged], now: Micros) -> BudgetState:
    """The state at `now` that these charges, in the order of the log, must have led to.

    It does not share the cursors' arithmetic: it keeps all marks and views and counts what lies in
    each window, so that it can tell when a counter went wrong.
    """
    marks: dict[tuple[str, str], Micros] = {}
    acts: dict[tuple[str, Measure, Micros], int] = {}
    keys: set[tuple[str, Measure]] = set()
    for one in charged:
        for each in one.charges:
            keys.add((each.key, Measure(each.measure)))
            if each.measure != Measure.CUSTOMERS.value:
                place = each.key, Measure(each.measure), one.view_at or one.at
                acts[place] = acts.get(place, 0) + each.amount
            elif one.view_at is None:
                marks[each.key, one.ref] = one.at
            elif marks.get((each.key, one.ref)) == one.view_at:
                marks[each.key, one.ref] = one.before.get(each.key, 0)
    return _counted(keys, marks, acts, now)


def _counted(
    keys: Iterable[tuple[str, Measure]],
    marks: Mapping[tuple[str, str], Micros],
    acts: Mapping[tuple[str, Measure, Micros], int],
    now: Micros,
) -> BudgetState:
    edge, hour = rolling_edge(now), hour_start(now)
    state = BudgetState(counters={}, marks={}, expired={}, slots={})
    for (key, measure), window in product(keys, Window):
        _counter(state, key, measure, window, now)
    for (key, ref), last in marks.items():
        if last > edge:
            state.marks[key, ref] = last
            state.counters[key, Measure.CUSTOMERS.value, Window.DAY].used += 1
        if last >= hour:
            state.counters[key, Measure.CUSTOMERS.value, Window.HOUR].used += 1
    for (key, measure, at), amount in acts.items():
        if at >= hour:
            state.counters[key, measure.value, Window.HOUR].used += amount
        if at >= first_live_slot(now):
            state.counters[key, measure.value, Window.DAY].used += amount
            state.slots[key, _slot(at)] = state.slots.get((key, _slot(at)), 0) + amount
    return state


def _slot(at: Micros) -> Micros:
    return at - at % SLOT


def _edge(measure: Measure, window: Window, now: Micros) -> Micros:
    """Where a counter's cursor belongs at `now`."""
    if window is Window.HOUR:
        return hour_start(now)
    return rolling_edge(now) if measure is Measure.CUSTOMERS else first_live_slot(now)


def _used(state: BudgetState, binding: Binding, now: Micros) -> Counter:
    return _counter(state, binding.key, binding.budget.measure, binding.budget.window, now)


def _counter(
    state: BudgetState, key: str, measure: Measure, window: Window, now: Micros
) -> Counter:
    """The counter with its cursor at `now`; a cursor never moves back."""
    edge = _edge(measure, window, now)
    counter = state.counters.get((key, measure.value, window))
    if counter is None:
        counter = Counter(key=key, measure=measure.value, window=window, used=0, edge=edge)
        state.counters[key, measure.value, window] = counter
    elif edge > counter.edge:
        if window is Window.HOUR:
            counter.used = 0
        elif measure is Measure.CUSTOMERS:
            counter.used -= _take_marks(state, key, edge)
        else:
            counter.used -= _take_slots(state, key, counter.edge, edge)
        counter.edge = edge
    return counter


def _take_slots(state: BudgetState, key: str, start: Micros, end: Micros) -> int:
    """Remove the key's slots that start in [start, end); the views that they held."""
    gone = [place for place in state.slots if place[0] == key and start <= place[1] < end]
    return sum(state.slots.pop(place) for place in gone)


def _take_marks(state: BudgetState, key: str, edge: Micros) -> int:
    """Remove the key's expired marks up to `edge`; how many there were."""
    times = state.expired.get((key, Window.DAY), [])
    kept = [last for last in times if last > edge]
    state.expired[key, Window.DAY] = kept
    return len(times) - len(kept)


def _lies_in(counter: Counter, last: Micros) -> bool:
    """Whether a mark lies in the counter's window (0, no mark, never does)."""
    return last >= counter.edge if counter.window is Window.HOUR else last > counter.edge


def _cost(state: BudgetState, binding: Binding, ref: str, now: Micros) -> int:
    if binding.budget.measure is not Measure.CUSTOMERS:
        return 1
    mark = state.marks.get((binding.key, ref), 0)
    return 0 if _lies_in(_used(state, binding, now), mark) else 1


def _resets_at(state: BudgetState, binding: Binding, now: Micros) -> Micros:
    if binding.budget.window is Window.HOUR:
        return _used(state, binding, now).edge + HOUR
    oldest = state.oldest.get((binding.key, binding.budget.measure.value), now)
    slot_end = _slot(oldest) + SLOT
    return (oldest if binding.budget.measure is Measure.CUSTOMERS else slot_end) + DAY


def _charge_act(state: BudgetState, key: str, measure: Measure, now: Micros) -> int:
    for window in Window:
        _counter(state, key, measure, window, now).used += 1
    place = (key, _slot(now))
    state.slots[place] = state.slots.get(place, 0) + 1
    state.oldest.setdefault((key, measure.value), now)
    return 1


def _charge_customer(state: BudgetState, key: str, ref: str, now: Micros) -> int:
    """Mark the customer; 1 if it was new in at least one window."""
    mark = state.marks.get((key, ref), 0)
    amount = 0
    for window in Window:
        counter = _counter(state, key, Measure.CUSTOMERS, window, now)
        if not _lies_in(counter, mark):
            counter.used += 1
            amount = 1
    _forget_expiry(state, key, mark)
    state.marks[key, ref] = now
    state.oldest.setdefault((key, Measure.CUSTOMERS.value), now)
    return amount


def _forget_expiry(state: BudgetState, key: str, mark: Micros) -> None:
    """A mark that moves while the cursor is still before it must not be subtracted later."""
    times = state.expired.get((key, Window.DAY), [])
    if mark in times:
        times.remove(mark)


def _refund_act(state: BudgetState, key: str, measure: Measure, at: Micros, now: Micros) -> None:
    hour = _counter(state, key, measure, Window.HOUR, now)
    if at >= hour.edge:
        hour.used -= 1
    day = _counter(state, key, measure, Window.DAY, now)
    if _slot(at) >= day.edge:
        day.used -= 1
        state.slots[key, _slot(at)] -= 1


def _refund_customer(state: BudgetState, key: str, spent: Charged, now: Micros) -> None:
    place = (key, spent.ref)
    counters = [_counter(state, key, Measure.CUSTOMERS, window, now) for window in Window]
    if state.marks.get(place, 0) != spent.at:
        return  # a later view of the same customer stands for it
    before = spent.before.get(key, 0)
    for counter in counters:
        stays = _lies_in(counter, before)
        if stays and counter.window is Window.DAY:
            # The mark that comes back may expire within this very batch.
            state.expired.setdefault((key, Window.DAY), []).append(before)
        elif not stays and _lies_in(counter, spent.at):
            counter.used -= 1
    _forget_expiry(state, key, spent.at)
    state.marks[place] = before
