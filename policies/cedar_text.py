"""Cedar text, statement by statement, so that every complaint names a file and a line.

Cedar's own messages carry no position. A file is therefore cut at its semicolons (outside strings
and comments), and each piece goes through Cedar's parser and validator by itself; Cedar stays the
only judge of what a piece means.

Each policy must say which question it answers: `action == Action::"Admit"` (may this go on at all),
`action == Action::"Show"` (how may a class of fields look) or `action == Action::"Reveal"` (how may
it look for the seconds of a reveal). A policy for any action would answer all of them, which nobody
who writes one intends.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

import cedarpy
from cedarpy import pst

from policies.errors import BundleError
from policies.hints import hint, line_of
from policies.model import Form
from policies.names import NAME
from policies.toml_source import decode

FIELD_CLASS = "FieldClass"
# What the engine itself puts into `determined_by`; a policy of that name would be mistaken for it.
NO_PERMIT = "no-permit"
POLICY_ERROR = "policy-error"
RESERVED_IDS = frozenset({NO_PERMIT, POLICY_ERROR})

# A string, a comment or a semicolon: whichever begins first decides what the others mean.
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_BLANK = re.compile(r"(?:\s|//[^\n]*)*")
_NAMED = re.compile(r"`(\w+)`|types?: (\w+)")
# What Cedar says of a statement that it was given alone: the position in a text that nobody wrote.
_POSITION = re.compile(r"^for policy `policy0`[:,] ")
_SYNTAX = "error parsing schema: "


class Question(StrEnum):
    """The three things that a policy can be about."""

    ADMIT = "Admit"
    SHOW = "Show"
    REVEAL = "Reveal"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a Cedar file, with the line on which it begins."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, with what its annotations say.

    `form` is set for permits of `Show` and `Reveal` only. `classes` are the field classes that it
    names; none means that it is about all of them.
    """

    id: str
    file: str
    line: int
    question: Question
    is_permit: bool
    form: Form | None
    annotations: Mapping[str, str]
    classes: frozenset[str]
    node: pst.Template

    @property
    def reason(self) -> str:
        """The sentence for the person who asks."""
        return self.annotations.get("reason", f"policy `{self.id}` says so")

    @property
    def obligations(self) -> tuple[str, ...]:
        """The tokens that a view carries along: those of `@obligation`, at commas."""
        text = self.annotations.get("obligation", "")
        return tuple(token for part in text.split(",") if (token := part.strip()))


def split(text: str) -> Iterator[Statement]:
    """Cut Cedar text into statements; a rest without a semicolon is a statement too."""
    start = 0
    for token in _TOKEN.finditer(text):
        if token.group() == ";":
            yield _statement(text, start, token.end())
            start = token.end()
    if not _BLANK.fullmatch(text, start):
        yield _statement(text, start, len(text))


def _statement(text: str, start: int, end: int) -> Statement:
    body = _BLANK.sub("", text[start:end], count=1)
    return Statement(text.count("\n", 0, end - len(body)) + 1, body)


def read_schema(content: bytes, file: str) -> cedarpy.Schema:
    """Parse a schema.

    Raises:
        BundleError: It is not UTF-8, does not parse, or names a type that it does not declare.
    """
    text = decode(content, file)
    for statement in split(text):
        try:
            cedarpy.Schema.from_str(statement.text)
        except ValueError as error:
            # Alone, a declaration cannot resolve its types: only its syntax is judged here.
            message = str(error)
            if message.startswith(_SYNTAX):
                found = message.removeprefix(_SYNTAX)
                raise BundleError(file, statement.line, f"not a Cedar schema: {found}") from error
    try:
        return cedarpy.Schema.from_str(text)
    except ValueError as error:
        message = str(error).removeprefix(_SYNTAX)
        raise BundleError(file, _line_of_name(text, message), f"bad schema: {message}") from error


def _line_of_name(text: str, message: str) -> int:
    """The last line that has the name a message is about: of two declarations, the second."""
    named = _NAMED.search(message)
    name = (named.group(1) or named.group(2)) if named else ""
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.search(rf"\b{name}\b", line)]
    return lines[-1] if named and lines else 1


def read_policies(content: bytes, file: str, schema: cedarpy.Schema) -> tuple[Policy, ...]:
    """Parse and validate the policies of one file.

    Raises:
        BundleError: A statement does not parse, does not fit the schema, or breaks a rule above.
    """
    return tuple(_policy(statement, file, schema) for statement in split(decode(content, file)))


def _policy(statement: Statement, file: str, schema: cedarpy.Schema) -> Policy:
    node = _parse(statement, file)
    policy_id = node.annotations.get("id", "")
    if not NAME.fullmatch(policy_id) or policy_id in RESERVED_IDS:
        message = (
            "the policy has no usable `@id`: give it a name of its own in lower-case letters, "
            f"digits and hyphens, other than {', '.join(sorted(RESERVED_IDS))}"
        )
        raise BundleError(file, statement.line, message)
    result = cedarpy.validate_policies(statement.text, schema)
    if not result.validation_passed:
        found = "; ".join(_POSITION.sub("", error.error) for error in result.errors)
        advice = hint(found)
        message = f"policy `{policy_id}` does not fit: {found}" + (f": {advice}" if advice else "")
        raise BundleError(file, statement.line + line_of(statement.text, found), message)
    question = _question(node.action)
    if question is None:
        message = (
            f'policy `{policy_id}` must say `action == Action::"Admit"`, `"Show"` or `"Reveal"`'
        )
        raise BundleError(file, statement.line, message)
    return Policy(
        id=policy_id,
        file=file,
        line=statement.line,
        question=question,
        is_permit=node.effect == "permit",
        form=_form(node, question, file, statement.line),
        annotations=MappingProxyType(dict(node.annotations)),
        classes=frozenset(
            uid.id for uid in pst.entity_uids(node) if uid.type.basename == FIELD_CLASS
        ),
        node=replace(node, id=policy_id),
    )


def _parse(statement: Statement, file: str) -> pst.Template:
    try:
        parsed = cedarpy.policies_to_pst(statement.text)
    except ValueError as error:
        raise BundleError(file, statement.line, f"not a Cedar policy: {error}") from error
    if parsed.templates:
        message = "a template decides nothing: replace `?principal` and `?resource`"
        raise BundleError(file, statement.line, message)
    (node,) = parsed.static_policies.values()
    return node


def _question(action: pst.ActionConstraint) -> Question | None:
    match action:
        case pst.ActionEq(entity=uid) if uid.id in Question.__members__.values():
            return Question(uid.id)
        case _:
            return None


def _form(node: pst.Template, question: Question, file: str, line: int) -> Form | None:
    if question is Question.ADMIT or node.effect != "permit":
        return None
    name = node.annotations.get("form", "").upper()
    if name not in Form.__members__:
        forms = ", ".join(form.name.lower() for form in Form)
        raise BundleError(file, line, f"a permit of `{question}` needs `@form` with one of {forms}")
    return Form[name]
