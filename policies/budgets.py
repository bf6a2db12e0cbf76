"""Read `quotas.toml`: the limits on how much anybody may look at.

A budget is one `[[budget]]` table. What a request costs, and whether it still fits, is
`guard.quotas`'s business; whether the numbers are wise is `policies.lint`'s. What could never bind
anybody, or could not be meant, is refused here with its line:

* a key that the measure is not counted by: a customer is not counted by customer, a search has no
  customer yet, a work list is gone through by views, customers and contacts;
* an AI agent's own key for somebody who is none, a work list for a purpose other than outreach;
* a limit that nobody could reach, two budgets that differ in their limit alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from policies.model import (
    Act,
    ActorKind,
    Budget,
    BudgetKey,
    Measure,
    Purpose,
    Risk,
    Window,
)
from policies.names import NAME
from policies.toml_source import TomlSource

E = TypeVar("E", bound=StrEnum)

# The act that a measure counts; a redaction is no act of a desk, so the policy is not asked.
ACT_OF: Mapping[Measure, Act] = MappingProxyType(
    {
        Measure.VIEWS: Act.VIEW,
        Measure.CUSTOMERS: Act.VIEW,
        Measure.REVEALS: Act.REVEAL,
        Measure.LISTINGS: Act.LIST,
        Measure.SEARCHES: Act.SEARCH,
        Measure.VERIFICATIONS: Act.VERIFY,
        Measure.CONTACTS: Act.CONTACT,
    }
)
# Above this a limit stops nothing: a machine of ten requests a second makes fewer in a day.
MAX_LIMIT = 1_000_000

_OF_A_CUSTOMER = frozenset(
    {Measure.REVEALS, Measure.VERIFICATIONS, Measure.CONTACTS, Measure.REDACTIONS}
)
_OF_A_WORK_LIST = frozenset({Measure.VIEWS, Measure.CUSTOMERS, Measure.CONTACTS})
# By whom each measure can be counted, beside the person and the AI agent that ask.
_MEASURES: Mapping[BudgetKey, frozenset[Measure]] = MappingProxyType(
    {
        BudgetKey.AGENT: frozenset(Measure),
        BudgetKey.ACTOR: frozenset(Measure),
        BudgetKey.CUSTOMER: _OF_A_CUSTOMER,
        BudgetKey.WORK_LIST: _OF_A_WORK_LIST,
    }
)

_KEYS = frozenset({"name", "measure", "key", "window", "limit", "kind", "purpose", "by_risk"})


def parse_budgets(toml_bytes: bytes, file_name: str) -> tuple[Budget, ...]:
    """Read the budgets in file order.

    Raises:
        BundleError: The file is not TOML, a budget is incomplete or unknown, or a name is taken.
    """
    source = TomlSource.parse(toml_bytes, file_name)
    source.expect_keys(source.root, frozenset({"budget"}), 1)
    budgets: dict[str, Budget] = {}
    for line, table in source.items("budget"):
        budget = _budget(source, table, line)
        if budget.name in budgets:
            source.fail(line, f"budget `{budget.name}` is there twice: give each its own name")
        twin = next((b for b in budgets.values() if _scope(b) == _scope(budget)), None)
        if twin is not None:
            source.fail(line, f"budget `{budget.name}` binds what `{twin.name}` binds: keep one")
        budgets[budget.name] = budget
    if not budgets:
        source.fail(1, "no budgets: without one nothing is limited; add a `[[budget]]` table")
    return tuple(budgets.values())


def _budget(source: TomlSource, table: dict[str, object], line: int) -> Budget:
    source.expect_keys(table, _KEYS, line)
    name = table.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        source.fail(line, "a budget needs a `name` of lower-case letters, digits and hyphens")
    budget = Budget(
        name=name,
        measure=_one_of(source, Measure, table, "measure", line),
        key=_one_of(source, BudgetKey, table, "key", line),
        window=_one_of(source, Window, table, "window", line),
        limit=_count(source, table.get("limit"), f"`limit` of budget `{name}`", line),
        kind=_one_of(source, ActorKind, table, "kind", line) if "kind" in table else None,
        purpose=_one_of(source, Purpose, table, "purpose", line) if "purpose" in table else None,
        by_risk=_by_risk(source, name, table.get("by_risk", {}), line),
    )
    fault = _fault(budget)
    if fault is not None:
        source.fail(line, f"budget `{name}` {fault}")
    return budget


def _scope(budget: Budget) -> tuple[object, ...]:
    """What a budget binds: all of it but its name and limits."""
    return budget.measure, budget.key, budget.window, budget.kind, budget.purpose


def _fault(budget: Budget) -> str | None:
    """Why a budget could never bind anybody."""
    fitting = _MEASURES[budget.key]
    if budget.measure not in fitting:
        names = ", ".join(measure for measure in Measure if measure in fitting)
        return f"counts `{budget.measure}` by `{budget.key}`: by that count one of {names}"
    if budget.key is BudgetKey.ACTOR and budget.kind not in (None, ActorKind.AI):
        return f'counts by `actor`, which no `{budget.kind}` has: use `agent`, or kind = "ai"'
    if budget.key is BudgetKey.WORK_LIST and budget.purpose not in (None, Purpose.OUTREACH):
        return f"counts by `work_list`, which only `outreach` has, not `{budget.purpose}`"
    return None


def _by_risk(source: TomlSource, name: str, value: object, line: int) -> Mapping[Risk, int]:
    if not isinstance(value, dict):
        source.fail(line, f"`by_risk` of budget `{name}` must be a table of risk = limit")
    limits = {}
    for key, limit in value.items():
        risk = _member(source, Risk, key, "by_risk", line)
        limits[risk] = _count(source, limit, f"limit `{risk}` of budget `{name}`", line)
    return MappingProxyType(limits)


def _one_of(source: TomlSource, enum: type[E], table: dict[str, object], key: str, line: int) -> E:
    return _member(source, enum, table.get(key), key, line)


def _member(source: TomlSource, enum: type[E], value: object, key: str, line: int) -> E:
    if not isinstance(value, str) or value not in enum.__members__.values():
        source.fail(line, f"`{key}` must be one of {', '.join(enum)}")
    return enum(value)


def _count(source: TomlSource, value: object, what: str, line: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        source.fail(line, f"{what} must be a whole number, 0 or more")
    if value > MAX_LIMIT:
        source.fail(line, f"{what} stops nobody: write a limit up to {MAX_LIMIT}")
    return value
