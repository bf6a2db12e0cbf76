"""House rules for bundles: what loads and is still unwise, or not what its author meant.

Loading already refuses what cannot be decided on. These rules look at the rest: a sentence that a
person would miss, an annotation that does nothing because of a typing error, a class that nothing
shows, a limit that grows as trust shrinks. A shipped bundle has no findings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.bundle import FIELDS_FILE, QUOTAS_FILE, Bundle, load_bundle
from policies.cedar_text import Policy, Question
from policies.errors import BundleError
from policies.model import ActorKind, Budget, Measure, Purpose, Risk, Window
from policies.names import NAME
from policies.toml_source import TomlSource

_ANNOTATIONS = frozenset({"id", "reason", "obligation"})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule, and where."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """Return `file:line: message (rule)`."""
        return f"{self.file}:{self.line}: {self.message} ({self.rule})"


def lint(files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """All findings, by file and line; of a bundle that does not load, the reason for that alone."""
    try:
        bundle = load_bundle(files)
    except BundleError as error:
        return (Finding(error.file, error.line, "load", error.message),)
    found = [*_policies(bundle), *_classes(bundle), *_budgets(bundle)]
    return tuple(sorted(found))


def _policies(bundle: Bundle) -> Iterator[Finding]:
    for policy in bundle.policies:
        if not policy.annotations.get("reason"):
            message = f"policy `{policy.id}` has no `@reason`: say why in a sentence for the person"
            yield Finding(policy.file, policy.line, "reason-missing", message)
        yield from _annotations(policy)
        for cls in sorted(policy.classes - set(bundle.classes)):
            message = f"policy `{policy.id}` names class `{cls}`, which no field has"
            yield Finding(policy.file, policy.line, "class-unknown", message)


def _annotations(policy: Policy) -> Iterator[Finding]:
    known = _ANNOTATIONS | ({"form"} if policy.form is not None else set())
    for name in sorted(set(policy.annotations) - known):
        message = f"`@{name}` of policy `{policy.id}` does nothing here: correct or remove it"
        yield Finding(policy.file, policy.line, "annotation-unknown", message)
    token = policy.annotations.get("obligation")
    # Underscores, since an obligation is a word of code (`ask_reason`) and not a name.
    if token is not None and not NAME.fullmatch(token.replace("_", "-")):
        message = f"`@obligation` of policy `{policy.id}` is no token: write it as `ask_reason`"
        yield Finding(policy.file, policy.line, "obligation-malformed", message)


def _classes(bundle: Bundle) -> Iterator[Finding]:
    source = TomlSource.parse(bundle.files[FIELDS_FILE], FIELDS_FILE)
    permits = [p for p in bundle.policies if p.is_permit and p.question is Question.SHOW]
    # A permit that names no class speaks of every class.
    named = {cls for permit in permits for cls in (permit.classes or bundle.classes)}
    for cls in bundle.classes:
        if cls not in named:
            first = next(r.path for r in bundle.catalogue.fields.values() if r.cls == cls)
            message = f"no permit shows class `{cls}`: add one, or drop its fields"
            yield Finding(FIELDS_FILE, source.line_of_key(first), "class-never-shown", message)


def _budgets(bundle: Bundle) -> Iterator[Finding]:
    source = TomlSource.parse(bundle.files[QUOTAS_FILE], QUOTAS_FILE)
    for place, budget in enumerate(bundle.budgets):
        line = source.line_of_item("budget", place)
        for rule, message in _budget_faults(budget, bundle.budgets):
            yield Finding(QUOTAS_FILE, line, rule, f"budget `{budget.name}` {message}")
    for kind in ActorKind:
        for purpose in Purpose:
            if not any(_bounds_a_day(budget, kind, purpose) for budget in bundle.budgets):
                message = f"nothing limits the customers a day of `{kind}` for `{purpose}`"
                yield Finding(QUOTAS_FILE, 1, "quota-missing", f"{message}: add a budget")


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
    """Whether `day` is the same budget over the longer window."""
    same = (day.measure, day.key, day.kind, day.purpose) == (
        hour.measure,
        hour.key,
        hour.kind,
        hour.purpose,
    )
    return same and day.window is Window.DAY and hour.window is Window.HOUR


def _bounds_a_day(budget: Budget, kind: ActorKind, purpose: Purpose) -> bool:
    return (
        budget.measure is Measure.CUSTOMERS
        and budget.window is Window.DAY
        and budget.kind in (None, kind)
        and budget.purpose in (None, purpose)
    )
