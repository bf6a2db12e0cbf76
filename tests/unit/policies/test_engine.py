import pytest

from policies.bundle import load_bundle
from policies.engine import NO_PERMIT_REASON, NOT_SHOWN_REASON, POLICY_ERROR_REASON, Engine
from policies.model import Facts, Forbid, Form, Link, Permit, Risk, Role
from tests.support.policy_bundles import SMALL_CEDAR, default_files, make_facts, small_files

# Passes Cedar's validator and fails when it is evaluated: an integer overflow.
OVERFLOW = "when { 9223372036854775807 + 1 > 0 }"


def engine(more: str = "", **changes: str) -> Engine:
    return Engine(load_bundle(small_files(cedar=SMALL_CEDAR + more, **changes)))


def show(policy_id: str, form: str, *, extra: str = "") -> str:
    return (
        f'@id("{policy_id}") @form("{form}") @reason("by {policy_id}") {extra}'
        'permit (principal, action == Action::"Show", resource == FieldClass::"contact");\n'
    )


def permitted(made: Engine, facts: Facts | None = None) -> Permit:
    decision = made.decide(facts or make_facts())
    assert isinstance(decision, Permit)
    return decision


def test_a_permit_says_how_each_class_looks_and_why() -> None:
    assert engine().decide(make_facts()) == Permit(
        forms={"contact": Form.MASK},
        explanations={"contact": "contact data is shown in part"},
        obligations=(),
        determined_by=("let-in", "show-contact"),
    )


def test_what_no_policy_permits_is_refused() -> None:
    decision = engine().decide(make_facts(role=Role.AUDITOR))

    assert decision == Forbid((NO_PERMIT_REASON,), ("no-permit",))


def test_a_forbid_beats_a_permit_and_gives_its_sentence() -> None:
    decision = engine(
        '@id("b") @reason("not now") forbid (principal, action == Action::"Admit", resource);'
        '@id("a") @reason("not now") forbid (principal, action == Action::"Admit", resource);'
        '@id("c") @reason("not you") forbid (principal, action == Action::"Admit", resource);'
    ).decide(make_facts())

    assert decision == Forbid(("not now", "not you"), ("b", "a", "c"))


@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_a_policy_that_fails_while_admitting_refuses_the_view(effect: str) -> None:
    broken = f'@id("broken") {effect} (principal, action == Action::"Admit", resource) {OVERFLOW};'

    assert engine(broken).decide(make_facts()) == Forbid(
        (POLICY_ERROR_REASON,), ("policy-error", "broken")
    )


@pytest.mark.parametrize("head", ['@form("mask") permit', "forbid"])
def test_a_policy_that_fails_while_showing_refuses_the_view(head: str) -> None:
    broken = f'@id("broken") {head} (principal, action == Action::"Show", resource) {OVERFLOW};'
    made = engine(broken)

    expected = Forbid((POLICY_ERROR_REASON,), ("policy-error", "broken"))
    assert made.decide(make_facts()) == expected
    assert made.forms(make_facts()) == expected


def test_a_value_outside_the_closed_set_refuses_the_view() -> None:
    class Forged(str):
        __slots__ = ()
        value = "cousin"

    decision = engine().decide(make_facts(link=Forged("cousin")))

    assert decision == Forbid((POLICY_ERROR_REASON,), ("policy-error",))


@pytest.mark.parametrize("form", ["plain", "mask", "redact", "hide"])
def test_the_most_protective_of_all_permits_wins(form: str) -> None:
    found = permitted(engine(show("other", form)))

    assert found.forms["contact"] is min(Form.MASK, Form[form.upper()])


def test_the_explanation_is_that_of_the_form_that_won() -> None:
    found = permitted(engine(show("tighter", "redact") + show("tighter-too", "redact")))

    assert found.explanations == {"contact": "by tighter"}
    assert found.determined_by == ("let-in", "tighter", "tighter-too")


def test_a_class_in_plain_needs_no_explanation() -> None:
    cedar = SMALL_CEDAR.replace('@form("mask")', '@form("plain")')
    found = permitted(Engine(load_bundle(small_files(cedar=cedar))))

    assert found.forms == {"contact": Form.PLAIN}
    assert found.explanations == {}


def test_a_matching_forbid_hides_a_class() -> None:
    found = permitted(
        engine(
            '@id("no") @reason("never") @obligation("notify")'
            'forbid (principal, action == Action::"Show", resource);'
        )
    )

    assert found.forms == {"contact": Form.HIDE}
    assert found.explanations == {"contact": "never"}
    assert found.obligations == ("notify",)
    assert found.determined_by == ("let-in", "no")


def test_a_class_that_nothing_shows_is_hidden() -> None:
    cedar = SMALL_CEDAR[: SMALL_CEDAR.index('@id("show-contact")')]
    found = permitted(Engine(load_bundle(small_files(cedar=cedar))))

    assert found.forms == {"contact": Form.HIDE}
    assert found.explanations == {"contact": NOT_SHOWN_REASON}
    assert found.determined_by == ("let-in",)


def test_obligations_are_collected_once_from_both_questions() -> None:
    more = (
        '@id("a") @obligation("notify") '
        'permit (principal, action == Action::"Admit", resource);'
        '@id("b") @obligation("ask_reason") '
        'permit (principal, action == Action::"Admit", resource);'
    ) + show("c", "mask", extra='@obligation("notify")')

    assert permitted(engine(more)).obligations == ("notify", "ask_reason")


def test_the_obligation_of_a_permit_that_lost_is_not_taken() -> None:
    assert permitted(engine(show("c", "plain", extra='@obligation("notify")'))).obligations == ()


def test_forms_are_answered_although_the_view_is_refused() -> None:
    made = engine()
    facts = make_facts(role=Role.ADMIN)

    assert isinstance(made.decide(facts), Forbid)
    shown = made.forms(facts)
    assert isinstance(shown, Permit)
    assert shown.forms == {"contact": Form.MASK}
    assert shown.determined_by == ("show-contact",)


def test_unmasked_shows_every_class_of_the_catalogue_in_plain() -> None:
    made = Engine(load_bundle(default_files()))

    assert made.unmasked() == dict.fromkeys(made.bundle.classes, Form.PLAIN)


def test_equal_facts_are_evaluated_once() -> None:
    made = engine()
    first = made.decide(make_facts())

    assert made.decide(make_facts()) is first
    assert made.evaluations == 1
    made.decide(make_facts(link=Link.NONE))
    assert made.evaluations == 2


def test_the_memory_of_decisions_is_bounded() -> None:
    made = Engine(load_bundle(small_files()), memo_limit=2)

    for risk in (Risk.NONE, Risk.NOTIFIED, Risk.MASK_MORE, Risk.NONE):
        made.decide(make_facts(risk=risk))
    assert made.evaluations == 4


def test_a_decision_cannot_be_changed_by_whoever_gets_it() -> None:
    found = permitted(engine())

    with pytest.raises(TypeError):
        found.forms["contact"] = Form.PLAIN  # type: ignore[index]  # that is the point
