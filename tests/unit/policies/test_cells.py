import pytest

from policies.bundle import Bundle, load_bundle
from policies.cells import USUAL, changed_cells
from policies.errors import WideConditionError
from policies.model import Act, Desk, Link, Purpose, Risk, Role
from tests.support.policy_bundles import (
    SMALL_CEDAR,
    SMALL_FIELDS,
    default_files,
    make_facts,
    small_files,
)

# How many combinations of facts a cell has beside role, desk and purpose.
REST = 3 * len(Link) * 3 * 4 * 4 * 2**6


def bundle(more: str = "", **changes: str) -> Bundle:
    return load_bundle(small_files(cedar=SMALL_CEDAR + more, **changes))


def test_a_bundle_changes_nothing_against_itself() -> None:
    shipped = load_bundle(default_files())

    assert changed_cells(shipped, shipped) == ()


def test_what_is_usual_is_what_tables_begin_with() -> None:
    assert make_facts() == USUAL


def test_a_form_that_changes_is_told_by_cell_with_its_share_and_an_example() -> None:
    more = (
        '@id("new") @reason("r") @form("redact") permit (principal, action == Action::"Show", '
        'resource) when { context.desk == Desk::"fraud" && context.link == Link::"none" };'
    )
    cells = changed_cells(bundle(), bundle(more))

    assert {(c.role, c.desk, c.act, c.what, c.before, c.after) for c in cells} == {
        (Role.AGENT, Desk.FRAUD, Act.VIEW, "contact", "mask", "redact")
    }
    assert [c.purpose for c in cells] == list(Purpose)
    assert {c.facts for c in cells} == {REST // len(Link)}
    first = cells[0]
    assert first.example == make_facts(desk=Desk.FRAUD, link=Link.NONE, purpose=first.purpose)


def test_the_other_way_round_is_the_other_way_round() -> None:
    more = (
        '@id("new") @reason("r") forbid (principal, action == Action::"Admit", '
        'resource == Request::"search") when { context.risk == Risk::"notified" };'
    )
    there, back = (
        changed_cells(bundle(), bundle(more)),
        changed_cells(bundle(more), bundle()),
    )

    assert {(c.act, c.what, c.before, c.after) for c in there} == {
        (Act.SEARCH, "admitted", "yes", "no")
    }
    assert {c.facts for c in there} == {REST // 4}
    assert there[0].example.risk is Risk.NOTIFIED
    assert [(c.role, c.desk, c.purpose, c.after, c.before) for c in there] == [
        (c.role, c.desk, c.purpose, c.before, c.after) for c in back
    ]


def test_a_refusal_closes_every_class() -> None:
    more = (
        '@id("new") @reason("r") forbid (principal, action == Action::"Admit", resource) '
        'when { context.purpose == Purpose::"outreach" };'
    )
    cells = changed_cells(bundle(), bundle(more))

    assert {(c.act, c.what, c.before, c.after) for c in cells} == {
        (Act.VIEW, "contact", "mask", "refused"),
        (Act.REVEAL, "contact", "hide", "refused"),
        *((act, "admitted", "yes", "no") for act in Act if act not in (Act.VIEW, Act.REVEAL)),
    }


def test_a_class_that_only_one_bundle_has_was_hidden_before() -> None:
    fields = SMALL_FIELDS + 'plan = { class = "profile", mask = "redact" }\n'
    more = (
        '@id("new") @reason("r") @form("plain") permit (principal, action == Action::"Show", '
        'resource == FieldClass::"profile");'
    )
    cells = changed_cells(bundle(), bundle(more, fields=fields))

    assert {(c.role, c.what, c.before, c.after) for c in cells} == {
        (Role.AGENT, "profile", "hide", "plain")
    }


def test_an_obligation_is_told_where_it_comes_and_goes() -> None:
    text = (
        '@id("tell") @reason("r") @obligation("notify") permit (principal == Role::"agent", '
        'action == Action::"Admit", resource == Request::"view") when { !context.on_shift };'
    )
    shown = (
        '@id("part") @reason("r") @obligation("review") @form("mask") permit (principal, '
        'action == Action::"Show", resource) when { !context.on_shift };'
        '@id("off") @reason("r") forbid (principal, action == Action::"Admit", '
        'resource != Request::"view") when { true };'
    ).replace('resource != Request::"view") when { true }', 'resource == Request::"reveal")')
    cells = changed_cells(bundle(), bundle(text + shown))

    told = {(c.act, c.what, c.after) for c in cells if c.what.startswith("obligation")}
    assert (Act.VIEW, "obligation notify", "yes") in told
    assert (Act.VIEW, "obligation review", "yes") in told
    assert (Act.REVEAL, "obligation review", "yes") not in told
    assert all(not c.example.on_shift for c in cells if c.what.startswith("obligation"))


def test_a_condition_on_all_facts_at_once_cannot_be_compared() -> None:
    more = (
        '@id("new") @reason("r") forbid (principal, action == Action::"Admit", resource) '
        "when { context == context };"
    )
    with pytest.raises(WideConditionError):
        changed_cells(bundle(), bundle(more))
