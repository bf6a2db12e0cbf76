import re

import pytest
from cedarpy import Schema

from policies.cedar_text import Policy, Question, Statement, read_policies, read_schema, split
from policies.errors import BundleError
from policies.model import Form
from tests.support.policy_bundles import default_files

SCHEMA_TEXT = default_files()["schema.cedarschema"]
SCHEMA = Schema.from_str(SCHEMA_TEXT.decode())
SHOW = 'permit (principal, action == Action::"Show", resource);'


def read(text: str) -> tuple[Policy, ...]:
    return read_policies(text.encode(), "a.cedar", SCHEMA)


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        ("  \n// only; a comment\n", []),
        ("a;b;", [(1, "a;"), (1, "b;")]),
        ("a;\n\n// why\n b\n;", [(1, "a;"), (4, "b\n;")]),
        ('a "x;\\";" ;\nb;', [(1, 'a "x;\\";" ;'), (2, "b;")]),
        ("a // it's \"; \n;\nb;", [(1, "a // it's \"; \n;"), (3, "b;")]),
        ('a "http://x;";b;', [(1, 'a "http://x;";'), (1, "b;")]),
        ("a;\nrest", [(1, "a;"), (2, "rest")]),
        (";", [(1, ";")]),
    ],
)
def test_text_is_cut_at_semicolons_outside_strings_and_comments(
    text: str, statements: list[tuple[int, str]]
) -> None:
    assert list(split(text)) == [Statement(*statement) for statement in statements]


def test_a_policy_is_described_by_its_scope_and_annotations() -> None:
    (policy,) = read(
        '// who\n@id("some-rule")\n@form("redact")\n@reason("because")\n'
        'permit (principal, action == Action::"Show", resource == FieldClass::"contact")\n'
        'unless { resource == FieldClass::"secret" };'
    )

    assert (policy.id, policy.file, policy.line) == ("some-rule", "a.cedar", 2)
    assert policy.question is Question.SHOW
    assert policy.is_permit
    assert policy.form is Form.REDACT
    assert policy.reason == "because"
    assert policy.classes == {"contact", "secret"}
    assert policy.node.id == "some-rule"


def test_a_policy_without_a_reason_is_explained_by_its_id() -> None:
    (policy,) = read('@id("mute")\nforbid (principal, action == Action::"Admit", resource);')

    assert policy.reason == "policy `mute` says so"
    assert policy.form is None
    assert not policy.is_permit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHOW, "the policy has no usable `@id`"),
        ('@id("Some Rule")' + SHOW, "the policy has no usable `@id`"),
        ('@id("no-permit")' + SHOW, "the policy has no usable `@id`"),
        ('@id("policy-error")' + SHOW, "the policy has no usable `@id`"),
        ('@id("a")' + SHOW, "a permit of `Show` needs `@form` with one of hide, redact, mask"),
        ('@id("a") @form("clear")' + SHOW, "a permit of `Show` needs `@form`"),
        ('@id("a") permit (principal, action, resource);', "policy `a` must say `action =="),
        ('@id("a") permit (principal, action in [Action::"Show"], resource);', "must say `action"),
        (
            '@id("a") permit (principal == ?principal, action == Action::"Admit", resource);',
            "a template decides nothing",
        ),
        ("permit (principal action);", "not a Cedar policy: unexpected token"),
        ('@id("a") permit (principal, action', "not a Cedar policy: unexpected end"),
        (";", "not a Cedar policy"),
        (
            (
                '@id("a") forbid (principal, action == Action::"Admit", resource)'
                ' when { context.link == Link::"ownr" };'
            ),
            'policy `a` does not fit: entity `Link::"ownr"` is of an',
        ),
        (
            (
                '@id("a") forbid (principal, action == Action::"Admit", resource)'
                " when { context.vip };"
            ),
            "policy `a` does not fit: attribute `vip` in context",
        ),
        ('@id("a") forbid (principal, action == Action::"Peek", resource);', "does not fit"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_on_its_line(text: str, message: str) -> None:
    first = '@id("first") forbid (principal, action == Action::"Admit", resource);\n\n// next\n'

    with pytest.raises(BundleError, match=rf"^a\.cedar:4: .*{re.escape(message)}"):
        read(first + text)


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(BundleError, match=r"^a\.cedar:1: not UTF-8"):
        read_policies(b"\xff", "a.cedar", SCHEMA)


def test_the_shipped_schema_parses() -> None:
    assert isinstance(read_schema(SCHEMA_TEXT, "s"), Schema)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("entity A;\n\nentity B = {;", 3, "not a Cedar schema: unexpected"),
        ("entity A;\nentity B", 2, "not a Cedar schema: unexpected"),
        ("entity A;\ntype F = { a: Bol };", 2, "bad schema: failed to resolve type: Bol"),
        ("entity A;\naction X appliesTo { principal: P, resource: Q };", 2, "bad schema"),
        ("entity A;\nentity A;", 2, "bad schema: `A` is declared twice"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_on_its_line(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(BundleError, match=rf"^s:{line}: {re.escape(message)}"):
        read_schema(text.encode(), "s")
