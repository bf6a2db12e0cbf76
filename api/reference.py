"""Reference pages that are written from the code, so that they cannot be wrong.

`pages` gives each page's path under `docs/` and its text; a test compares, and
`python -m api.reference docs` writes them.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from api.bootstrap import open_bundle
from api.identity.scopes import BY_ROLE, Scope
from api.metrics import Metrics
from api.problems import FRAMEWORK, REFUSALS, TABLE, Problem
from api.settings import PREFIX, SECRETS, Settings
from guard.masking import REGISTRY, Transform
from guard.masking.registry import Choice, Flag, Number, Parameter
from guard.masking.scalars import MAX_TEXT
from policies.model import Form
from policies.reference import describe_access

_GENERATED = "<!-- Written by `python -m api.reference docs`; do not edit. -->\n"


def pages() -> Mapping[str, str]:
    """Every generated page by its path."""
    return {
        "reference/errors.md": errors_page(),
        "reference/settings.md": settings_page(),
        "reference/metrics.md": metrics_page(),
        "reference/access.md": access_page(),
        "reference/masks.md": masks_page(),
    }


def errors_page() -> str:
    """All problem types, and which role may do what."""
    problems = {p.slug: p for p in (*TABLE.values(), *REFUSALS.values(), *FRAMEWORK.values())}
    rows = sorted(problems.values(), key=lambda p: (p.status, p.slug))
    return _page(
        "Errors",
        "Errors are RFC 9457 problem documents (`application/problem+json`). `type` never changes;"
        " `instance` names the request and stands in the log line of the request. No error repeats"
        " anything that was sent: `errors` of a 422 names place and rule only.",
        _table(("status", "type", "title", "what to do"), (_problem(p) for p in rows)),
        "## Scopes",
        "A call needs its scope in the credential and in the role of the directory.",
        _table(("scope", "roles"), ((f"`{s}`", _roles(s)) for s in sorted(Scope))),
    )


def settings_page() -> str:
    """All settings."""
    rows = (
        (f"`{PREFIX}{name.upper()}`", _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    secrets = ", ".join(f"`{PREFIX}{name.upper()}_FILE`" for name in SECRETS)
    return _page(
        "Settings",
        f"Read once at start from the environment. Secrets may come from files: {secrets}."
        f" An unknown `{PREFIX}` variable refuses the start.",
        _table(("variable", "default", "meaning"), rows),
    )


def metrics_page() -> str:
    """All metrics of the HTTP layer."""
    rows = []
    for metric in Metrics().registry.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        rows.append((f"`{name}`", metric.type, metric.documentation))
    return _page(
        "Metrics",
        "`GET /metrics`, in the Prometheus text format. Labels are closed sets: route templates,"
        " methods, statuses, outcomes; never a tenant, an agent or a customer.",
        _table(("metric", "type", "meaning"), sorted(rows)),
    )


def access_page() -> str:
    """Who may see what by the policy that ships."""
    return _GENERATED + describe_access(open_bundle(None))


def masks_page() -> str:
    """The catalogue of transforms."""
    return _page(
        "Masks",
        "The transforms that a field catalogue may name; [masking](../masking.md) says what each"
        " does. *Leaks* is the most characters of the value that one answer can show, with the"
        " defaults; a property test holds every transform to it. *Joins*: equal values of different"
        " customers look equal. *Key*: needs the tenant's key and a scope, and redacts without."
        " *Undone*: who holds the key can work back to the value.",
        _table(
            ("transform", "parameters (default)", "leaks", "joins", "key", "undone"),
            (_mask(transform) for transform in REGISTRY.all()),
        ),
    )


def _mask(transform: Transform) -> tuple[str, ...]:
    params = (f"`{n}` {_range(p)} ({_shown(p.default)})" for n, p in transform.params.items())
    leaks = transform.leaks(transform.complete({}))
    is_shown = transform.form is Form.MASK
    return (
        f"`{transform.id}`",
        ", ".join(params),
        "what is left of the text" if leaks == MAX_TEXT else str(leaks),
        _yes(is_shown and transform.is_deterministic and not transform.is_prose),
        _yes(transform.make_keyed is not None),
        _yes(transform.is_reversible),
    )


def _range(parameter: Parameter) -> str:
    match parameter:
        case Number(low=low, high=high):
            return f"{low} to {high}"
        case Choice(words=words):
            return " or ".join(words)
        case Flag():
            return "true or false"
        case _:
            return "text"


def _shown(default: object) -> str:
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "none"


def _yes(answer: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if answer else ""


def _problem(problem: Problem) -> tuple[str, ...]:
    advice = problem.advice or ("see `detail`" if problem.shows_text else "see `reasons`")
    return str(problem.status), f"`{problem.uri}`", problem.title, advice


def _roles(scope: Scope) -> str:
    roles = [role.value for role, scopes in BY_ROLE.items() if scope in scopes]
    return "all" if len(roles) == len(BY_ROLE) else ", ".join(roles)


def _default(value: object) -> str:
    return "" if value is None or value == "" else f"`{value}`"


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((_GENERATED + f"# {title}", *parts)) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(folder: Path) -> None:
    """Write all pages under `folder`."""
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
