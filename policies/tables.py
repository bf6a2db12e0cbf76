"""Decision tables: policy tests that a security team can read and add to.

    title  = "who sees money"
    bundle = "default"              # a name for whoever runs the table; this module reads no disk

    [files]                         # optional: files that replace or join those of the bundle
    "extra.cedar" = '''...'''

    act    = "view"                 # optional: what is asked for, here and in each case

    [facts]                         # what every case begins with; all facts
    role = "agent"
    ...

    [[case]]
    name   = "a stranger's balance is covered"
    facts  = { link = "none" }      # what this case has otherwise
    act    = "reveal"               # optional; without it that of the table, and else a view
    effect = "permit"               # or "forbid"
    forms  = { financial = "redact" }
    obligations   = ["ask_reason"]
    determined_by = ["support-unexplained"]
    reasons       = ["..."]

`obligations` are compared as a whole, everything else only as far as it is written; of
`determined_by` and `reasons` each one written must be there. For a permit `reasons` are looked for
among the explanations. What is left out is not looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.bundle import load_bundle
from policies.engine import Engine
from policies.errors import FactsError
from policies.facts import parse_facts
from policies.model import Act, Decision, Facts, Forbid, Form, Permit
from policies.toml_source import TomlSource

_TABLE_KEYS = frozenset({"title", "bundle", "files", "act", "facts", "case"})
_CASE_KEYS = frozenset(
    {"name", "act", "facts", "effect", "forms", "obligations", "determined_by", "reasons"}
)
_FORMS = MappingProxyType({form.name.lower(): form for form in Form})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: facts, and what is expected of the decision. None: not looked at."""

    name: str
    line: int
    act: Act
    facts: Facts
    effect: str
    forms: Mapping[str, Form]
    obligations: tuple[str, ...] | None
    determined_by: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A parsed table. `files` are laid over those of the bundle called `bundle`."""

    file: str
    title: str
    bundle: str
    files: Mapping[str, bytes]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A case that was decided otherwise than expected."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return `file:line: message`."""
        return f"{self.file}:{self.line}: {self.message}"


def parse_table(toml_bytes: bytes, file_name: str) -> Table:
    """Read a table.

    Raises:
        BundleError: It is not TOML, incomplete, or names an unknown fact, form or key.
    """
    source = TomlSource.parse(toml_bytes, file_name)
    source.expect_keys(source.root, _TABLE_KEYS, 1)
    base = _mapping(source, source.root, "facts", 1)
    files = _mapping(source, source.root, "files", 1)
    act = _act(source, source.root, 1) if "act" in source.root else Act.VIEW
    cases = [_case(source, line, table, base, act) for line, table in source.items("case")]
    if not cases:
        source.fail(1, "no cases: a table without a `[[case]]` tests nothing")
    return Table(
        file=file_name,
        title=_word(source, source.root, "title", 1),
        bundle=_word(source, source.root, "bundle", 1),
        files={name: _word(source, files, name, 1).encode() for name in files},
        cases=tuple(cases),
    )


def run_table(table: Table, bundle_files: Mapping[str, bytes]) -> tuple[Mismatch, ...]:
    """Decide every case on a bundle, with the table's own files laid over it.

    Raises:
        BundleError: The bundle does not load.
    """
    engine = Engine(load_bundle({**bundle_files, **table.files}))
    return tuple(
        Mismatch(table.file, case.line, f"{case.name}: {fault}")
        for case in table.cases
        for fault in _faults(case, engine.decide(case.facts, case.act))
    )


def _faults(case: Case, decision: Decision) -> Iterator[str]:
    effect = "forbid" if isinstance(decision, Forbid) else "permit"
    if effect != case.effect:
        yield f"expected {case.effect}, got {effect} by {', '.join(decision.determined_by)}"
        return
    if isinstance(decision, Forbid):
        sentences = decision.reasons
    else:
        sentences = tuple(decision.explanations.values())
        yield from _permit_faults(case, decision)
    for what, wanted, said in (
        ("policy", case.determined_by, decision.determined_by),
        ("sentence", case.reasons, sentences),
    ):
        yield from (f"expected {what} `{w}`, got {list(said)}" for w in wanted if w not in said)


def _permit_faults(case: Case, permit: Permit) -> Iterator[str]:
    for cls, form in case.forms.items():
        # A class that the bundle does not have is hidden, as it is for whoever shows a record.
        got = permit.forms.get(cls, Form.HIDE)
        if got is not form:
            yield f"expected {cls} {form.name.lower()}, got {got.name.lower()}"
    if case.obligations is not None and set(case.obligations) != set(permit.obligations):
        yield f"expected obligations {list(case.obligations)}, got {list(permit.obligations)}"


def _case(
    source: TomlSource,
    line: int,
    table: dict[str, object],
    base: Mapping[str, object],
    act: Act,
) -> Case:
    source.expect_keys(table, _CASE_KEYS, line)
    effect = _word(source, table, "effect", line)
    if effect not in ("permit", "forbid"):
        source.fail(line, "`effect` must be permit or forbid")
    if effect == "forbid" and ("forms" in table or "obligations" in table):
        source.fail(line, "a refusal has no `forms` and no `obligations`: remove them")
    try:
        facts = parse_facts({**base, **_mapping(source, table, "facts", line)})
    except FactsError as error:
        source.fail(line, str(error))
    return Case(
        name=_word(source, table, "name", line),
        line=line,
        act=_act(source, table, line) if "act" in table else act,
        facts=facts,
        effect=effect,
        forms=_forms(source, table, line),
        obligations=_words(source, table, "obligations", line) if "obligations" in table else None,
        determined_by=_words(source, table, "determined_by", line),
        reasons=_words(source, table, "reasons", line),
    )


def _act(source: TomlSource, table: dict[str, object], line: int) -> Act:
    value = table["act"]
    if not isinstance(value, str) or value not in Act.__members__.values():
        source.fail(line, f"`act` must be one of {', '.join(Act)}")
    return Act(value)


def _forms(source: TomlSource, table: dict[str, object], line: int) -> Mapping[str, Form]:
    forms = {}
    for cls, name in _mapping(source, table, "forms", line).items():
        if not isinstance(name, str) or name not in _FORMS:
            source.fail(line, f"form of `{cls}` must be one of {', '.join(_FORMS)}")
        forms[cls] = _FORMS[name]
    return MappingProxyType(forms)


def _mapping(
    source: TomlSource, table: dict[str, object], key: str, line: int
) -> dict[str, object]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        source.fail(line, f"`{key}` must be a table")
    return value


def _word(source: TomlSource, table: dict[str, object], key: str, line: int) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        source.fail(line, f"`{key}` must be a text")
    return value


def _words(source: TomlSource, table: dict[str, object], key: str, line: int) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        source.fail(line, f"`{key}` must be a list of texts")
    return tuple(value)
