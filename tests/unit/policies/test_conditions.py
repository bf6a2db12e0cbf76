import pytest

from policies import conditions as module
from policies.bundle import load_bundle
from policies.cedar_text import Policy, Question
from policies.conditions import (
    NAMES,
    VALUES,
    Target,
    conditions,
    facts_at,
    matches,
    mentioned,
    new_diagrams,
    point,
)
from policies.errors import WideConditionError
from policies.model import Facts, Link, Role, Tier
from tests.support.policy_bundles import SMALL_CEDAR, make_facts, small_files

VIEW, LIST = Target(Question.ADMIT, "view"), Target(Question.ADMIT, "list")
OVERFLOW = "9223372036854775807 + 1 > 0"


def policy(clauses: str = "", *, head: str = "principal", resource: str = "resource") -> Policy:
    text = (
        f'@id("p") @reason("r") permit ({head}, action == Action::"Admit", {resource}) {clauses};'
    )
    bundle = load_bundle(small_files(cedar=SMALL_CEDAR + text))
    return next(p for p in bundle.policies if p.id == "p")


def holds(made: Policy, target: Target = VIEW, **changes: object) -> object:
    diagrams = new_diagrams()
    return diagrams.at(matches(diagrams, made, target), point(make_facts(**changes)))


def test_every_fact_is_asked_for_once() -> None:
    assert sorted(NAMES) == sorted(Facts.__dataclass_fields__)
    assert NAMES[:3] == ("role", "desk", "purpose")
    assert new_diagrams().sizes == tuple(len(VALUES[name]) for name in NAMES)


def test_facts_come_back_from_their_answers() -> None:
    facts = make_facts(link=Link.STALE, fresh_mfa=True, role=Role.LEAD)

    assert facts_at(point(facts)) == facts


@pytest.mark.parametrize(
    ("clauses", "owner", "vip"),
    [
        ("", True, True),
        ('when { context.link == Link::"owner" }', True, True),
        ('unless { context.tier == Tier::"vip" }', True, False),
        ('when { context.tier == Tier::"vip" || context.on_shift }', True, True),
        ('when { context.tier == Tier::"vip" && context.on_shift }', False, True),
        ('when { !(context.tier == Tier::"vip") }', True, False),
        ('when { if context.tier == Tier::"vip" then context.fresh_mfa else true }', True, False),
        ('when { context has tier && context.tier != Tier::"vip" }', True, False),
        ('unless { context.fresh_mfa || context.tier == Tier::"vip" }', True, False),
        ('unless { context.on_shift && context.tier == Tier::"vip" }', True, False),
        ("when { {a: context.on_shift}.a }", True, True),
        ('when { action == Action::"Admit" }', True, True),
    ],
)
def test_a_policy_matches_where_its_conditions_hold(clauses: str, owner: bool, vip: bool) -> None:  # noqa: FBT001 - two cells
    made = policy(clauses)

    assert holds(made) is owner
    assert holds(made, tier=Tier.VIP) is vip


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        (f"when {{ {OVERFLOW} }}", None),
        (f"when {{ context.fresh_mfa && {OVERFLOW} }}", False),
        (f"when {{ context.on_shift || {OVERFLOW} }}", True),
        (f"when {{ context.on_shift && {OVERFLOW} }}", None),
        (f"when {{ context.fresh_mfa || {OVERFLOW} }}", None),
        (f"when {{ !({OVERFLOW}) }}", None),
        (f"unless {{ {OVERFLOW} }}", None),
        (f"when {{ if {OVERFLOW} then true else true }}", None),
        (f"when {{ if context.on_shift then {OVERFLOW} else true }}", None),
        (f"when {{ if context.on_shift then true else {OVERFLOW} }}", True),
        (f"when {{ if context.fresh_mfa then true else {OVERFLOW} }}", None),
    ],
)
def test_what_cannot_be_evaluated_counts_only_where_cedar_comes_to_it(
    clauses: str, expected: object
) -> None:
    assert holds(policy(clauses)) is expected


@pytest.mark.parametrize(
    ("head", "agent", "lead"),
    [
        ('principal == Role::"lead"', False, True),
        ('principal in Role::"lead"', False, True),
        ("principal is Role", True, True),
        ('principal is Role in Role::"lead"', False, True),
    ],
)
def test_the_head_of_a_policy_is_a_condition_too(head: str, agent: bool, lead: bool) -> None:  # noqa: FBT001 - two cells
    made = policy(head=head)

    assert holds(made) is agent
    assert holds(made, role=Role.LEAD) is lead


def test_a_policy_for_one_act_does_not_match_another() -> None:
    made = policy(resource='resource == Request::"list"')

    assert holds(made, LIST) is True
    assert holds(made, VIEW) is False


def test_a_policy_about_a_class_is_asked_about_a_class() -> None:
    bundle = load_bundle(small_files())
    show = next(p for p in bundle.policies if p.id == "show-contact")

    assert holds(show, Target(Question.SHOW, "contact")) is True
    assert holds(show, Target(Question.SHOW, "other")) is False


def test_conditions_are_told_apart() -> None:
    made = policy(
        'when { context.on_shift && context.link == Link::"owner" } '
        "unless { context.fresh_mfa || context.reason_given }",
        head='principal == Role::"agent"',
    )

    assert [mentioned(expr) for expr in conditions(made)] == [
        ("role",),
        ("on_shift",),
        ("link",),
        ("fresh_mfa",),
        ("reason_given",),
    ]


def test_a_condition_on_the_whole_context_is_refused() -> None:
    with pytest.raises(WideConditionError, match="the whole context: compare single facts"):
        holds(policy("when { context == context }"))


def test_a_condition_on_many_facts_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWERS", 3)
    with pytest.raises(WideConditionError, match="compares reason_given, customer_present at once"):
        holds(policy("when { context.reason_given == context.customer_present }"))
