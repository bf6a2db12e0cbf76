import re

import pytest

from policies.errors import BundleError
from policies.model import Form, Link
from policies.tables import parse_table, run_table
from tests.support.policy_bundles import make_facts, small_files

HEAD = """\
title = "small"
bundle = "small"
[facts]
role = "agent"
desk = "front_line"
actor = "human"
purpose = "support_case"
link = "owner"
tier = "standard"
tie = "none"
risk = "none"
on_shift = true
same_tenant = true
same_region = true
fresh_mfa = false
reason_given = false
customer_present = false
"""
CASE = """\
[[case]]
name = "masked"
effect = "permit"
"""
FORBID = """
[files]
"more.cedar" = '''
@id("never")
@reason("never mind")
forbid (principal, action == Action::"Admit", resource);
'''
"""


def mismatches(case: str, head: str = HEAD) -> list[str]:
    table = parse_table((head + case).encode(), "t.toml")
    return [str(mismatch) for mismatch in run_table(table, small_files())]


def test_a_table_holds_what_it_says() -> None:
    text = HEAD + CASE + 'facts = { link = "none" }\nforms = { contact = "mask" }\n'
    table = parse_table((text + FORBID).encode(), "t.toml")

    assert (table.file, table.title, table.bundle) == ("t.toml", "small", "small")
    assert list(table.files) == ["more.cedar"]
    (case,) = table.cases
    assert (case.name, case.line, case.effect) == ("masked", 18, "permit")
    assert case.facts == make_facts(link=Link.NONE)
    assert case.forms == {"contact": Form.MASK}
    assert case.obligations is None


@pytest.mark.parametrize(
    "expectation",
    [
        "",
        'forms = { contact = "mask" }',
        'forms = { unheard_of = "hide" }',
        "obligations = []",
        'determined_by = ["let-in"]',
        'determined_by = ["show-contact", "let-in"]',
        'reasons = ["contact data is shown in part"]',
    ],
)
def test_a_case_that_holds_has_no_mismatch(expectation: str) -> None:
    assert mismatches(CASE + expectation) == []


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ('forms = { contact = "plain" }', "expected contact plain, got mask"),
        ('forms = { unheard_of = "mask" }', "expected unheard_of mask, got hide"),
        ('obligations = ["notify"]', "expected obligations ['notify'], got []"),
        ('determined_by = ["x"]', "expected policy `x`, got ['let-in', 'show-contact']"),
        ('reasons = ["x"]', "expected sentence `x`, got ['contact data is shown in part']"),
    ],
)
def test_a_case_that_does_not_hold_says_what_came_instead(expectation: str, message: str) -> None:
    assert mismatches(CASE + expectation) == [f"t.toml:18: masked: {message}"]


def test_a_case_is_decided_for_its_act_and_else_for_that_of_the_table() -> None:
    only_lists = """
[files]
"more.cedar" = '''
@id("lists-only")
@reason("only lists")
forbid (principal, action == Action::"Admit", resource) unless { resource == Request::"list" };
'''
"""
    listed = CASE + 'act = "list"\n'
    assert mismatches(listed + only_lists) == []
    assert mismatches(CASE + only_lists, 'act = "list"\n' + HEAD) == []
    assert mismatches(listed.replace("list", "verify") + only_lists) != []
    assert mismatches(CASE + only_lists) != []


def test_a_permit_where_a_refusal_was_expected_is_a_mismatch() -> None:
    case = CASE.replace('"permit"', '"forbid"') + 'reasons = ["x"]'

    assert mismatches(case) == [
        "t.toml:18: masked: expected forbid, got permit by let-in, show-contact"
    ]


def test_files_of_a_table_are_laid_over_the_bundle() -> None:
    case = CASE.replace('"permit"', '"forbid"') + 'reasons = ["never mind"]\n'

    assert mismatches(case + 'determined_by = ["never"]\n' + FORBID) == []
    assert mismatches(case + 'determined_by = ["other"]\n' + FORBID) == [
        "t.toml:18: masked: expected policy `other`, got ['never']"
    ]


@pytest.mark.parametrize(
    ("head", "case", "message"),
    [
        (HEAD, "", "1: no cases"),
        (HEAD, CASE + "forbms = {}", "18: unknown key `forbms`"),
        ("x = 1\n" + HEAD, CASE, "1: unknown key `x`"),
        (HEAD.replace('title = "small"', ""), CASE, "1: `title` must be a text"),
        (HEAD, CASE.replace('"masked"', '""'), "18: `name` must be a text"),
        (HEAD, CASE.replace('"permit"', '"deny"'), "18: `effect` must be permit or forbid"),
        (HEAD, CASE.replace('effect = "permit"', ""), "18: `effect` must be a text"),
        (HEAD, CASE + 'facts = { link = "x" }', "18: fact `link` must be one of"),
        (HEAD, CASE + "facts = 3", "18: `facts` must be a table"),
        (HEAD, CASE + 'forms = { contact = "clear" }', "18: form of `contact` must be one of hide"),
        (HEAD, CASE + "forms = { contact = 2 }", "18: form of `contact` must be one of hide"),
        (HEAD, CASE + 'reasons = "x"', "18: `reasons` must be a list of texts"),
        (HEAD, CASE + "reasons = [1]", "18: `reasons` must be a list of texts"),
        (HEAD, CASE + 'act = "print"', "18: `act` must be one of view, reveal"),
        (HEAD, CASE + "act = 1", "18: `act` must be one of view, reveal"),
        ('act = "look"\n' + HEAD, CASE, "1: `act` must be one of view, reveal"),
        (HEAD, CASE + "[files]\nx = 1", "1: `x` must be a text"),
        (
            HEAD,
            CASE.replace('"permit"', '"forbid"') + "obligations = []",
            "18: a refusal has no `forms`",
        ),
        (
            HEAD,
            CASE.replace('"permit"', '"forbid"') + "forms = {}",
            "18: a refusal has no `forms`",
        ),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(head: str, case: str, message: str) -> None:
    with pytest.raises(BundleError, match=rf"^t\.toml:{re.escape(message)}"):
        parse_table((head + case).encode(), "t.toml")


def test_a_table_over_a_broken_bundle_names_the_broken_file() -> None:
    table = parse_table((HEAD + CASE + FORBID.replace("@id", "@ix")).encode(), "t.toml")

    with pytest.raises(BundleError, match=r"^more\.cedar:1: the policy has no usable `@id`"):
        run_table(table, small_files())
