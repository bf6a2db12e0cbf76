"""What holds for every set of facts, not only for those that somebody thought of."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import cedarpy
import numpy as np
import pytest
from cedarpy import pst
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.bundle import load_bundle
from policies.cedar_text import Policy, split
from policies.conditions import VALUES, facts_at, new_diagrams, point
from policies.diff import diff
from policies.engine import Engine
from policies.facts import admit_request, parse_facts, show_request
from policies.model import (
    Act,
    ActorKind,
    Decision,
    Facts,
    Forbid,
    Form,
    Link,
    Permit,
    Purpose,
    Risk,
    Role,
    Tier,
)
from tests.support.policy_bundles import default_files, make_facts

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


# The number that the issue names; the quick form draws the same kind of requests, fewer of them.
REQUESTS = 10_000 if os.environ.get("RECORDGUARD_FULL") else 600


def requests(seed: int, count: int) -> Iterator[tuple[Facts, Act]]:
    """Facts and acts, half of the facts as usual: else nearly everything is refused at once."""
    rng = np.random.default_rng(seed)
    usual, sizes, acts = point(make_facts(reason_given=True)), new_diagrams().sizes, list(Act)
    for _ in range(count):
        share = float(rng.random())
        answers = tuple(
            int(rng.integers(size)) if rng.random() < share else answer
            for answer, size in zip(usual, sizes, strict=True)
        )
        yield facts_at(answers), acts[int(rng.integers(len(acts)))]


TEXT = "".join(
    content.decode() for name, content in default_files().items() if name.endswith(".cedar")
)
PLAIN = cedarpy.PolicySet.from_str(TEXT)
SCHEMA = cedarpy.Schema.from_str(default_files()["schema.cedarschema"].decode())


def ask_plainly(request: Mapping[str, object]) -> cedarpy.AuthzResult:
    """Cedar by itself: the policies as one text, no batch, no memory, no code of ours."""
    result = cedarpy.is_authorized(dict(request), PLAIN, "[]", SCHEMA)
    assert not result.diagnostics.errors
    return result


def form_of(result: cedarpy.AuthzResult) -> Form:
    """The lowest form among the permits that Cedar names; anything else hides."""
    if not result.allowed:
        return Form.HIDE
    named = result.diagnostics.id_annotations_by_reason.values()
    by_id = {policy.id: policy for policy in DEFAULT.bundle.policies}
    return min(by_id[name].form or Form.HIDE for name in named)


def test_the_memoised_engine_and_plain_cedar_agree_on_every_request_and_act() -> None:
    mismatches, permitted = 0, 0
    for facts, act in requests(1, REQUESTS):
        decision = DEFAULT.decide(facts, act)
        is_allowed = ask_plainly(admit_request(facts, act)).allowed
        mismatches += is_allowed != isinstance(decision, Permit)
        if isinstance(decision, Permit) and is_allowed:
            permitted += 1
            for cls in CLASSES:
                wanted = form_of(ask_plainly(show_request(facts, cls, act)))
                mismatches += decision.forms[cls] is not wanted
    assert mismatches == 0
    assert permitted > REQUESTS // 20


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("question", ["Admit", "Show", "Reveal"])
def test_a_forbid_that_fails_is_a_refusal_whatever_is_asked(act: Act, question: str) -> None:
    broken = engine_with(
        f'@id("broken") @reason("r") forbid (principal, action == Action::"{question}", resource)'
        " when { context.fresh_mfa && 9223372036854775807 + 1 > 0 };"
    )
    is_asked = question == "Admit" or (question == "Reveal") == (act is Act.REVEAL)
    for facts, _ in requests(2, 25):
        before = DEFAULT.decide(facts, act)
        after = broken.decide(facts, act)
        if facts.fresh_mfa and is_asked and (question == "Admit" or isinstance(before, Permit)):
            assert isinstance(after, Forbid)
            assert "broken" in after.determined_by
        else:
            assert after == before


def test_the_name_of_facts_names_one_set_of_facts() -> None:
    drawn = {facts for facts, _ in requests(3, 5 * REQUESTS)}

    assert len({facts.facts_id for facts in drawn}) == len(drawn)
    assert all(parse_facts(facts.as_dict()).facts_id == facts.facts_id for facts in drawn)


def narrower(policy: Policy, rng: np.random.Generator) -> pst.Template:
    """A permit with one more condition, or a forbid whose exemption asks for one more."""
    name = sorted(VALUES)[int(rng.integers(len(VALUES)))]
    value = VALUES[name][int(rng.integers(len(VALUES[name])))]
    fact = pst.GetAttr(pst.Var("context"), name)
    if isinstance(value, bool):
        wanted: pst.Expr = fact if value else pst.UnaryOp("not", fact)
    else:
        kind = pst.EntityType(type(value).__name__)
        wanted = pst.BinaryOp("eq", fact, pst.EntityLit(pst.EntityUid(kind, value.value)))
    clauses = policy.node.clauses
    if policy.is_permit:
        return replace(policy.node, clauses=(*clauses, pst.When(wanted)))
    exempt = [n for n, clause in enumerate(clauses) if isinstance(clause, pst.Unless)]
    chosen = exempt[int(rng.integers(len(exempt)))]
    stricter = pst.Unless(pst.BinaryOp("and", clauses[chosen].expr, wanted))
    return replace(policy.node, clauses=(*clauses[:chosen], stricter, *clauses[chosen + 1 :]))


@lru_cache(1)
def narrowable() -> tuple[Policy, ...]:
    """Permits of acts, and forbids with an exemption."""
    return tuple(
        policy
        for policy in DEFAULT.bundle.policies
        if (policy.is_permit and policy.form is None)
        or (not policy.is_permit and any(isinstance(c, pst.Unless) for c in policy.node.clauses))
    )


def with_node(policy_id: str, node: pst.Template) -> Engine:
    """The shipped bundle with one policy replaced."""
    nodes = {policy.id: policy.node for policy in DEFAULT.bundle.policies} | {policy_id: node}
    changed = pst.PolicySet(templates={}, static_policies=nodes, template_links=())
    return Engine(replace(DEFAULT.bundle, policy_set=cedarpy.PolicySet.from_pst(changed)))


def test_one_more_condition_on_an_exemption_never_widens_it() -> None:
    rng = np.random.default_rng(4)
    closed = 0
    for round_ in range(REQUESTS // 20):
        policy = narrowable()[int(rng.integers(len(narrowable())))]
        changed = with_node(policy.id, narrower(policy, rng))
        for facts, act in requests(100 + round_, 12):
            before, after = DEFAULT.decide(facts, act), changed.decide(facts, act)
            assert shows_no_more(after, before), (policy.id, facts)
            assert not (isinstance(before, Forbid) and isinstance(after, Permit)), (
                policy.id,
                facts,
            )
            closed += isinstance(before, Permit) and isinstance(after, Forbid)
    assert closed > 0


def test_one_more_permit_of_a_form_never_shows_more_of_a_class_that_was_shown() -> None:
    for facts, act in requests(5, REQUESTS // 3):
        before = shown(DEFAULT.forms(facts, Act.VIEW))
        for form, changed in ADDED_PERMITS.items():
            after = shown(changed.forms(facts, Act.VIEW))
            assert all(after[cls] <= min(before[cls], form) for cls in CLASSES), (facts, act)
