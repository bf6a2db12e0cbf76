"""Read `quotas.toml`: the limits on how much anybody may look at.

A budget is one `[[budget]]` table. What a request costs, and whether it still fits, is
`guard.quotas`'s business; whether the numbers are sensible is `policies.lint`'s.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from policies.model import ActorKind, Budget, BudgetKey, Measure, Purpose, Risk, Window
from policies.names import NAME
from policies.toml_source import TomlSource

E = TypeVar("E", bound=StrEnum)

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
        budgets[budget.name] = budget
    if not budgets:
        source.fail(1, "no budgets: without one nothing is limited; add a `[[budget]]` table")
    return tuple(budgets.values())


def _budget(source: TomlSource, table: dict[str, object], line: int) -> Budget:
    source.expect_keys(table, _KEYS, line)
    name = table.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        source.fail(line, "a budget needs a `name` of lower-case letters, digits and hyphens")
    return Budget(
        name=name,
        measure=_one_of(source, Measure, table, "measure", line),
        key=_one_of(source, BudgetKey, table, "key", line),
        window=_one_of(source, Window, table, "window", line),
        limit=_count(source, table.get("limit"), f"`limit` of budget `{name}`", line),
        kind=_one_of(source, ActorKind, table, "kind", line) if "kind" in table else None,
        purpose=_one_of(source, Purpose, table, "purpose", line) if "purpose" in table else None,
        by_risk=_by_risk(source, name, table.get("by_risk", {}), line),
    )


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
    return value
