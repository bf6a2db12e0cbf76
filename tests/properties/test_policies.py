"""What holds for every set of facts, not only for those that somebody thought of."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.bundle import load_bundle
from policies.cedar_text import split
from policies.diff import diff
from policies.engine import Engine
from policies.facts import parse_facts
from policies.model import ActorKind, Decision, Facts, Form, Link, Permit, Purpose, Risk, Role, Tier
from tests.support.policy_bundles import default_files

# Of all facts most are refused at once, so as many again are drawn where the finer rules decide.
FACTS = st.one_of(
    st.builds(Facts),
    st.builds(
        Facts,
        role=st.just(Role.AGENT),
        tier=st.just(Tier.STANDARD),
        same_tenant=st.just(value=True),
        same_region=st.just(value=True),
    ),
)
STRONG = st.sampled_from([Link.OWNER, Link.ESCALATION, Link.TRANSFER])
FORMS = st.sampled_from(list(Form))
DEFAULT = Engine(load_bundle(default_files()))
# How long one evaluation takes is the machine's business, not a property of the policy.
untimed = settings(deadline=None)
CLASSES = DEFAULT.bundle.classes


def engine_with(policy: str) -> Engine:
    return Engine(load_bundle({**default_files(), "zz-added.cedar": policy.encode()}))


FORGETFUL = Engine(load_bundle(dict(reversed(default_files().items()))), memo_limit=0)

# Loading takes a while, so every kind of addition is loaded once.
ADDED_PERMITS = {
    form: engine_with(
        f'@id("added") @reason("r") @form("{form.name.lower()}") '
        'permit (principal, action == Action::"Show", resource);'
    )
    for form in Form
}
ADDED_FORBID = engine_with(
    '@id("added") @reason("r") forbid (principal, action == Action::"Show", resource)'
    ' when { context.link == Link::"owner" };'
)
ADDED_REFUSAL = engine_with(
    '@id("added") @reason("r") forbid (principal, action == Action::"Admit", resource)'
    ' when { context.link == Link::"owner" };'
)


def shown(decision: Decision) -> dict[str, Form]:
    """What is to be seen: of a refusal, nothing."""
    if isinstance(decision, Permit):
        return dict(decision.forms)
    return dict.fromkeys(CLASSES, Form.HIDE)


def shows_no_more(less: Decision, more: Decision) -> bool:
    left, right = shown(less), shown(more)
    return all(left[cls] <= right[cls] for cls in CLASSES)


@untimed
@given(FACTS)
def test_a_decision_is_a_function_of_the_facts(facts: Facts) -> None:
    assert FORGETFUL.decide(facts) == DEFAULT.decide(parse_facts(facts.as_dict()))


@untimed
@given(FACTS)
def test_a_permit_covers_the_classes_of_the_catalogue_and_no_other(facts: Facts) -> None:
    decision = DEFAULT.forms(facts)

    assert isinstance(decision, Permit)
    assert set(decision.forms) == set(CLASSES)
    below = {cls for cls, form in decision.forms.items() if form is not Form.PLAIN}
    assert set(decision.explanations) == below
    assert all(decision.explanations.values())


@untimed
@given(FACTS, FORMS)
def test_an_added_permit_never_shows_more_than_one_that_already_matched(
    facts: Facts, form: Form
) -> None:
    # Every class that ships has a permit for all facts, so one always matched unless it is hidden
    # by a forbid, which no permit lifts.
    assert shows_no_more(ADDED_PERMITS[form].decide(facts), DEFAULT.decide(facts))


@untimed
@given(FACTS, FORMS)
def test_an_added_permit_caps_every_class_at_its_form(facts: Facts, form: Form) -> None:
    assert all(got <= form for got in shown(ADDED_PERMITS[form].decide(facts)).values())


@untimed
@given(FACTS)
def test_an_added_forbid_never_shows_or_permits_more(facts: Facts) -> None:
    assert shows_no_more(ADDED_FORBID.decide(facts), DEFAULT.decide(facts))
    assert shows_no_more(ADDED_REFUSAL.decide(facts), DEFAULT.decide(facts))
    if isinstance(ADDED_REFUSAL.decide(facts), Permit):
        assert isinstance(DEFAULT.decide(facts), Permit)


@untimed
@given(FACTS)
def test_a_higher_risk_never_shows_more_nor_permits_more(facts: Facts) -> None:
    ladder = [DEFAULT.decide(replace(facts, risk=risk)) for risk in Risk]

    for lower, higher in pairwise(ladder):
        assert shows_no_more(higher, lower)
        if isinstance(higher, Permit):
            assert isinstance(lower, Permit)


@untimed
@given(FACTS)
def test_a_higher_risk_covers_no_less_where_nothing_is_refused(facts: Facts) -> None:
    ladder = [DEFAULT.forms(replace(facts, risk=risk)) for risk in Risk]

    assert all(shows_no_more(higher, lower) for lower, higher in pairwise(ladder))


@untimed
@given(FACTS, STRONG)
def test_a_case_never_shows_less_than_no_case(facts: Facts, link: Link) -> None:
    facts = replace(facts, purpose=Purpose.SUPPORT_CASE)
    explained = DEFAULT.decide(replace(facts, link=link, tier=Tier.STANDARD))

    assert shows_no_more(DEFAULT.decide(replace(facts, link=Link.NONE)), explained)


@untimed
@given(FACTS)
def test_what_was_photographed_is_never_shown_whole(facts: Facts) -> None:
    forms = shown(DEFAULT.forms(facts))

    assert forms["secret"] <= Form.REDACT
    for cls in ("identity", "contact", "address", "financial", "free_text"):
        assert forms[cls] <= Form.MASK


@untimed
@given(FACTS)
def test_an_ai_agent_sees_masks_at_most_and_no_money(facts: Facts) -> None:
    forms = shown(DEFAULT.forms(replace(facts, actor=ActorKind.AI)))

    assert forms["financial"] is Form.HIDE
    assert max(forms.values()) <= Form.MASK


@untimed
@given(FACTS)
def test_another_tenant_is_never_opened(facts: Facts) -> None:
    assert not isinstance(DEFAULT.decide(replace(facts, same_tenant=False)), Permit)


@untimed
@given(st.lists(FACTS, max_size=5))
def test_a_bundle_does_not_differ_from_itself(facts: list[Facts]) -> None:
    assert diff(DEFAULT, DEFAULT, facts) == ()


@untimed
@given(st.lists(FACTS, max_size=5))
def test_what_a_change_closes_its_reverse_opens(facts: list[Facts]) -> None:
    there = diff(DEFAULT, ADDED_FORBID, facts)
    back = diff(ADDED_FORBID, DEFAULT, facts)

    assert [(c.facts, c.opens, c.closes) for c in there] == [
        (c.facts, c.closes, c.opens) for c in back
    ]


PIECES = st.sampled_from(['a "x;y"', "b", '"\\";"', "c // no; end\n d", "@e(1)"])


@untimed
@given(st.lists(PIECES, max_size=6), st.sampled_from(["", " ", "\n", "// a; b\n"]))
def test_cutting_text_loses_no_statement(pieces: list[str], gap: str) -> None:
    text = gap.join(piece + ";" for piece in pieces)

    assert [statement.text for statement in split(text)] == [piece + ";" for piece in pieces]
    lines = [statement.line for statement in split(text)]
    assert lines == sorted(lines)
