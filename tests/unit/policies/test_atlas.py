import numpy as np
import pytest

from policies.atlas import BROKEN, FORBIDDEN, PERMITTED, REFUSED, SILENT, Atlas
from policies.bundle import load_bundle
from policies.cedar_text import Question
from policies.conditions import facts_at, point
from policies.engine import Engine
from policies.model import Act, Forbid, Form, Role
from tests.support.policy_bundles import SMALL_CEDAR, default_files, make_facts, small_files

FORBID = 'forbid (principal, action == Action::"Admit", resource) when { context.fresh_mfa };'
OVERFLOW = "when { context.fresh_mfa && 9223372036854775807 + 1 > 0 }"
BROKEN_SHOW = (
    f'@id("b") @reason("r") forbid (principal, action == Action::"Show", resource) {OVERFLOW};'
)


def atlas(more: str = "") -> Atlas:
    return Atlas(load_bundle(small_files(cedar=SMALL_CEDAR + more)))


def test_a_request_ends_as_the_strongest_word_says() -> None:
    made = atlas(f'@id("f") @reason("r") {FORBID}')
    ends = made.admission(Act.VIEW)

    assert made.diagrams.at(ends, point(make_facts())) == PERMITTED
    assert made.diagrams.at(ends, point(make_facts(fresh_mfa=True))) == FORBIDDEN
    assert made.diagrams.at(ends, point(make_facts(role=Role.LEAD))) == SILENT


def test_one_class_that_cannot_be_decided_refuses_the_request() -> None:
    made = atlas(BROKEN_SHOW)
    (shown,) = made.shown(Act.VIEW).values()

    assert made.diagrams.at(shown, point(make_facts())) == Form.MASK
    assert made.diagrams.at(shown, point(make_facts(fresh_mfa=True))) == REFUSED
    assert (
        made.diagrams.at(made.admission(Act.VIEW), point(make_facts(fresh_mfa=True))) == PERMITTED
    )


def test_an_act_that_fails_is_broken() -> None:
    made = atlas(BROKEN_SHOW.replace("Show", "Admit"))

    assert made.diagrams.at(made.admission(Act.LIST), point(make_facts(fresh_mfa=True))) == BROKEN


def test_a_class_that_no_permit_opens_in_a_reveal_is_hidden() -> None:
    made = atlas()
    (shown,) = made.shown(Act.REVEAL).values()

    assert made.diagrams.at(shown, point(make_facts())) == Form.HIDE
    assert made.diagrams.at(shown, point(make_facts(role=Role.LEAD))) == REFUSED


def test_what_was_worked_out_is_kept() -> None:
    made = atlas()
    (policy,) = made.policies(Question.ADMIT)
    (target, *_) = made.targets(Question.ADMIT)

    assert made.matches(policy, target) == made.matches(policy, target)


@pytest.mark.parametrize("act", [Act.VIEW, Act.REVEAL, Act.SEARCH])
def test_the_atlas_of_the_shipped_bundle_answers_as_its_engine(act: Act) -> None:
    bundle = load_bundle(default_files())
    made, engine = Atlas(bundle), Engine(bundle)
    shown, tokens = made.shown(act), made.obligations(act)
    rng = np.random.default_rng(7)
    usual = point(make_facts())
    for _ in range(120):
        # Half of the facts as usual, else nearly everything is refused at once.
        dice = [int(rng.integers(size)) for size in made.diagrams.sizes]
        answers = tuple(d if rng.random() < 0.5 else u for d, u in zip(dice, usual, strict=True))
        decision = engine.decide(facts_at(answers), act)
        for cls, node in shown.items():
            expected = REFUSED if isinstance(decision, Forbid) else decision.forms[cls]
            assert made.diagrams.at(node, answers) == expected
        carried = {t for t, node in tokens.items() if made.diagrams.at(node, answers) is True}
        assert carried == (set() if isinstance(decision, Forbid) else set(decision.obligations))
