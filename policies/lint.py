"""House rules for bundles: what loads and is still unwise, or not what its author meant.

Loading already refuses what cannot be decided on. These rules look at the rest: a sentence that a
person would miss, an annotation that does nothing because of a typing error, a policy that never
decides anything (`policies.reach`), a limit that grows as trust shrinks. Each finding names file
and line and ends in what to do. A shipped bundle has no findings.
"""

from collections.abc import Iterator, Mapping

from policies.atlas import PERMITTED, Atlas
from policies.budgets import ACT_OF
from policies.bundle import QUOTAS_FILE, Bundle, load_bundle
from policies.cedar_text import Policy
from policies.errors import BundleError
from policies.findings import Finding
from policies.model import Act, ActorKind, Budget, BudgetKey, Measure, Purpose, Risk, Window
from policies.names import NAME
from policies.reach import admits, left_out, unreachable, unreadable
from policies.toml_source import TomlSource

__all__ = ["Finding", "lint"]

_ANNOTATIONS = frozenset({"id", "reason", "obligation"})
# What the day has to limit of each act; of views the customers, since looking again is work.
_LIMITED: Mapping[Act, Measure] = {
    act: measure for measure, act in ACT_OF.items() if measure is not Measure.VIEWS
}
_OF_WHO_ASKS = frozenset({BudgetKey.AGENT, BudgetKey.ACTOR})


def lint(files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """All findings, by file and line; of a bundle that does not load, the reason for that alone."""
    try:
        bundle = load_bundle(files)
    except BundleError as error:
        return (Finding(error.file, error.line, "load", error.message),)
    atlas = Atlas(bundle)
    found = [*_policies(bundle), *_limits(bundle)]
    # A policy that fails refuses everything, so what the others would decide means nothing yet.
    found += list(unreadable(atlas)) or [
        *unreachable(atlas),
        *left_out(atlas),
        *_missing(atlas),
        *_unbound(atlas),
    ]
    return tuple(sorted(found))


def _policies(bundle: Bundle) -> Iterator[Finding]:
    for policy in bundle.policies:
        if not policy.annotations.get("reason"):
            message = f"policy `{policy.id}` has no `@reason`: say why in a sentence for the person"
            yield Finding(policy.file, policy.line, "reason-missing", message)
        yield from _annotations(policy)
        for cls in sorted(policy.classes - set(bundle.classes)):
            message = (
                f"policy `{policy.id}` names class `{cls}`, which no field has: "
                f"use one of {', '.join(bundle.classes)}"
            )
            yield Finding(policy.file, policy.line, "class-unknown", message)


def _annotations(policy: Policy) -> Iterator[Finding]:
    known = _ANNOTATIONS | ({"form"} if policy.form is not None else set())
    for name in sorted(set(policy.annotations) - known):
        message = f"`@{name}` of policy `{policy.id}` does nothing here: correct or remove it"
        yield Finding(policy.file, policy.line, "annotation-unknown", message)
    if "obligation" not in policy.annotations:
        return
    if not policy.is_permit:
        message = f"`@obligation` of policy `{policy.id}` does nothing on a forbid: remove it"
        yield Finding(policy.file, policy.line, "annotation-unknown", message)
    # Underscores, since an obligation is a word of code (`ask_reason`) and not a name.
    tokens = [token.replace("_", "-") for token in policy.obligations]
    if not tokens or not all(NAME.fullmatch(token) for token in tokens):
        message = f"`@obligation` of policy `{policy.id}` is no token: write it as `ask_reason`"
        yield Finding(policy.file, policy.line, "obligation-malformed", message)


def _limits(bundle: Bundle) -> Iterator[Finding]:
    """What is wrong with each budget's numbers."""
    for place, budget in enumerate(bundle.budgets):
        for rule, message in _budget_faults(budget, bundle.budgets):
            yield _about_budget(bundle, place, rule, message)


def _unbound(atlas: Atlas) -> Iterator[Finding]:
    """The budgets for somebody whom the policies never let do what they count."""
    for place, budget in enumerate(atlas.bundle.budgets):
        act = ACT_OF.get(budget.measure)
        if act is None:
            continue  # a system's work, which no policy admits
        if PERMITTED not in atlas.diagrams.count(atlas.admission(act)):
            continue  # found as an act that nobody may do
        # Counted by an AI agent's own key, a budget binds nobody else.
        only = ActorKind.AI if budget.key is BudgetKey.ACTOR else budget.kind
        kinds = tuple(ActorKind) if only is None else (only,)
        purposes = tuple(Purpose) if budget.purpose is None else (budget.purpose,)
        if not any(admits(atlas, act, purpose, kind) for purpose in purposes for kind in kinds):
            message = f"binds nobody, since no policy admits `{act}` for it: remove it"
            yield _about_budget(atlas.bundle, place, "quota-unbound", message)


def _about_budget(bundle: Bundle, place: int, rule: str, message: str) -> Finding:
    source = TomlSource.parse(bundle.files[QUOTAS_FILE], QUOTAS_FILE)
    line = source.line_of_item("budget", place)
    return Finding(QUOTAS_FILE, line, rule, f"budget `{bundle.budgets[place].name}` {message}")


def _missing(atlas: Atlas) -> Iterator[Finding]:
    """What the policies admit and no budget limits by the day."""
    for act, measure in _LIMITED.items():
        for kind in ActorKind:
            for purpose in Purpose:
                limited = any(
                    _bounds_a_day(b, measure, kind, purpose) for b in atlas.bundle.budgets
                )
                if not limited and admits(atlas, act, purpose, kind):
                    message = (
                        f"nothing limits the {measure} a day of `{kind}` for `{purpose}`: "
                        f'add a budget with measure = "{measure}", window = "{Window.DAY}"'
                    )
                    yield Finding(QUOTAS_FILE, 1, "quota-missing", message)


def _budget_faults(budget: Budget, budgets: tuple[Budget, ...]) -> Iterator[tuple[str, str]]:
    if budget.limit == 0:
        yield "quota-zero", "lets nothing through: forbid it by a policy, which says why"
    before = budget.limit
    for risk in Risk:
        limit = budget.by_risk.get(risk, before)
        if limit > before:
            yield "quota-grows", f"allows more at risk `{risk}` than below it: lower it"
        before = limit
    for other in budgets:
        if _is_day_of(other, budget) and other.limit < budget.limit:
            yield "quota-idle", f"can never be reached before `{other.name}`: lower or remove it"


def _is_day_of(day: Budget, hour: Budget) -> bool:
    """Whether `day` binds all that `hour` binds, over the longer window."""
    return (
        (day.measure, day.key) == (hour.measure, hour.key)
        and day.window is Window.DAY
        and hour.window is Window.HOUR
        and day.kind in (None, hour.kind)
        and day.purpose in (None, hour.purpose)
    )


def _bounds_a_day(budget: Budget, measure: Measure, kind: ActorKind, purpose: Purpose) -> bool:
    return (
        budget.measure is measure
        and budget.key in _OF_WHO_ASKS
        and budget.window is Window.DAY
        and budget.kind in (None, kind)
        and budget.purpose in (None, purpose)
    )
