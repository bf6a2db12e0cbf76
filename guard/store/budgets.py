"""Budget rows: principals' rungs, counters, marks and slots. What they mean is `guard.quotas`."""

import itertools
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BindParameter, Row, Select, and_, bindparam, delete, or_, select, tuple_

from guard.clock import Micros
from guard.quotas import SLOT, first_live_slot, rolling_edge
from guard.rows import BudgetState, Counter, LockedPrincipal
from guard.store.statements import Session, Values, WriteSession
from guard.store.tables import budget_counter, budget_mark, budget_principal, budget_slot
from policies.model import Measure, Risk, Window

_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)

PRINCIPALS = (
    select(budget_principal)
    .where(budget_principal.c.key.in_(_KEYS))
    .order_by(budget_principal.c.key)
)
_LOCK_PRINCIPALS = PRINCIPALS.with_for_update()

_COUNTERS = (
    select(budget_counter)
    .where(budget_counter.c.key.in_(_KEYS))
    .order_by(budget_counter.c.key, budget_counter.c.measure, budget_counter.c.window)
)
# One index seek per key each; an aggregate over the key's rows would read them all.
_OLDEST_MARK = (
    select(budget_mark.c.last)
    .where(budget_mark.c.key == budget_counter.c.key, budget_mark.c.last > bindparam("mark_edge"))
    .order_by(budget_mark.c.last)
    .limit(1)
    .correlate(budget_counter)
    .scalar_subquery()
)
_OLDEST_SLOT = (
    select(budget_slot.c.start)
    .where(budget_slot.c.key == budget_counter.c.key, budget_slot.c.start >= bindparam("slot_edge"))
    .order_by(budget_slot.c.start)
    .limit(1)
    .correlate(budget_counter)
    .scalar_subquery()
)
_STATE = _COUNTERS.add_columns(_OLDEST_MARK.label("mark"), _OLDEST_SLOT.label("slot"))

_LOCK_STATE = _STATE.with_for_update(of=budget_counter)

_MARKS = select(budget_mark).where(
    tuple_(budget_mark.c.key, budget_mark.c.ref).in_(bindparam("pairs", expanding=True))
)


def _rolling(is_measured: Any, key: Any) -> Any:  # noqa: ANN401 - a Core condition
    return and_(
        budget_counter.c.key == key, is_measured, budget_counter.c.window == Window.DAY.value
    )


_COUNTS_CUSTOMERS = budget_counter.c.measure == Measure.CUSTOMERS.value
# A key counts one kind of act (see `guard.quotas`), so its slots belong to that one counter.
_COUNTS_ACTS = budget_counter.c.measure != Measure.CUSTOMERS.value


_EXPIRED: Select[Any] = (
    select(budget_mark.c.key, budget_mark.c.last)
    .join(budget_counter, _rolling(_COUNTS_CUSTOMERS, budget_mark.c.key))
    .where(
        budget_counter.c.key.in_(_KEYS),
        budget_mark.c.last > budget_counter.c.edge,
        budget_mark.c.last <= bindparam("mark_edge"),
    )
)
_SLOTS: Select[Any] = (
    select(budget_slot)
    .join(budget_counter, _rolling(_COUNTS_ACTS, budget_slot.c.key))
    .where(
        budget_counter.c.key.in_(_KEYS),
        budget_slot.c.start >= budget_counter.c.edge,
        or_(
            budget_slot.c.start < bindparam("slot_edge"),
            budget_slot.c.start >= bindparam("open_slot"),
        ),
    )
)
_DROP_MARKS = delete(budget_mark).where(
    budget_mark.c.key == bindparam("of"), budget_mark.c.last <= bindparam("edge")
)
_DROP_SLOTS = delete(budget_slot).where(
    budget_slot.c.key == bindparam("of"), budget_slot.c.start < bindparam("edge")
)

# From the hardest rung down.
_RUNGS = (
    (Risk.EXPLAINED_ONLY, "explained_only_until"),
    (Risk.MASK_MORE, "mask_more_until"),
    (Risk.NOTIFIED, "notified_until"),
)


def locked_principal(row: Row[Any], at: Micros | None) -> LockedPrincipal:
    """Read a row of `budget_principal` as it stands at `at` (None: as if nothing ever ended)."""
    risk = Risk.NONE
    for rung, column in _RUNGS:
        until = getattr(row, column)
        if until is not None and (at is None or until > at):
            risk = rung
            break
    return LockedPrincipal(key=row.key, suspended_until=row.suspended_until, risk=risk)


def _tenant_of(key: str) -> str:
    """The tenant in a key such as `agent:tenant/id`."""
    return key.partition(":")[2].partition("/")[0]


class BudgetReads(Session):
    """Reading budgets."""

    def counters(self, keys: Collection[str]) -> list[Counter]:
        """See `ReadView.counters`."""
        if not keys:
            return []
        return [_counter(row) for row in self._all(_COUNTERS, {"keys": sorted(keys)})]

    def budget_state(
        self, keys: Collection[str], pairs: Collection[tuple[str, str]], now: Micros
    ) -> BudgetState:
        """See `ReadView.budget_state`."""
        return self._load(_STATE, _edges_at(keys, now, now), pairs)

    def _load(
        self, statement: Select[Any], values: Values, pairs: Collection[tuple[str, str]]
    ) -> BudgetState:
        state = BudgetState(counters={}, marks={}, expired={}, slots={})
        if not values["keys"]:
            return state
        for row in self._all(statement, values):
            _add_counter(state, row)
        if pairs:
            for row in self._all(_MARKS, {"pairs": sorted(pairs)}):
                state.marks[row.key, row.ref] = row.last
        for row in self._all(_EXPIRED, values):
            state.expired.setdefault((row.key, Window.DAY), []).append(row.last)
        for row in self._all(_SLOTS, values):
            state.slots[row.key, row.start] = row.views
        return state


class BudgetWrites(BudgetReads, WriteSession):
    """Locking and changing budgets."""

    def lock_principals(
        self, keys: Collection[str], at: Micros | None = None
    ) -> dict[str, LockedPrincipal]:
        """See `UnitOfWork.lock_principals`."""
        if not keys:
            return {}
        wanted = sorted(set(keys))
        rows = self._all(_LOCK_PRINCIPALS, {"keys": wanted})
        if len(rows) < len(wanted):
            self._keep(budget_principal, [_no_rung(key) for key in wanted])
            rows = self._all(_LOCK_PRINCIPALS, {"keys": wanted})
        return {row.key: locked_principal(row, at) for row in rows}

    def lock_budgets(
        self,
        keys: Collection[str],
        pairs: Collection[tuple[str, str]],
        now: Micros,
        since: Micros | None = None,
    ) -> BudgetState:
        """See `UnitOfWork.lock_budgets`."""
        values = _edges_at(keys, now, now if since is None else since)
        return self._load(_LOCK_STATE, values, pairs)

    def save_budgets(self, state: BudgetState) -> None:
        """See `UnitOfWork.save_budgets`; what has left every window is dropped."""
        self._put(
            budget_counter,
            [
                {
                    "key": c.key,
                    "measure": c.measure,
                    "window": c.window.value,
                    "used": c.used,
                    "edge": c.edge,
                }
                for _, c in sorted(state.counters.items())
            ],
        )
        self._put(
            budget_mark,
            [{"key": k, "ref": r, "last": last} for (k, r), last in sorted(state.marks.items())],
        )
        self._put(
            budget_slot,
            [{"key": k, "start": s, "views": n} for (k, s), n in sorted(state.slots.items())],
        )
        rolling = [c for c in state.counters.values() if c.window is Window.DAY]
        self._write(_DROP_MARKS, _edges(filter(_is_of_customers, rolling)))
        self._write(_DROP_SLOTS, _edges(itertools.filterfalse(_is_of_customers, rolling)))


def _edges_at(keys: Collection[str], now: Micros, since: Micros) -> dict[str, Any]:
    # A batch may stand across a slot's boundary, so the slot before is open too.
    earliest = min(since, now - SLOT)
    return {
        "keys": sorted(keys),
        "mark_edge": rolling_edge(now),
        "slot_edge": first_live_slot(now),
        "open_slot": earliest - earliest % SLOT,
    }


def _counter(row: Row[Any]) -> Counter:
    return Counter(
        key=row.key, measure=row.measure, window=Window(row.window), used=row.used, edge=row.edge
    )


def _add_counter(state: BudgetState, row: Row[Any]) -> None:
    counter = _counter(row)
    state.counters[counter.key, counter.measure, counter.window] = counter
    oldest = row.mark if _is_of_customers(counter) else row.slot
    if oldest is not None:
        state.oldest[counter.key, counter.measure] = oldest


def _is_of_customers(counter: Counter) -> bool:
    return counter.measure == Measure.CUSTOMERS.value


def _edges(counters: Iterable[Counter]) -> list[dict[str, str | int]]:
    return [{"of": c.key, "edge": c.edge} for c in counters]


def _no_rung(key: str) -> dict[str, str | None]:
    rungs = {column: None for _, column in _RUNGS}
    return {"key": key, "tenant": _tenant_of(key), "suspended_until": None, **rungs}
