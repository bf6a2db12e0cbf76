from dataclasses import replace

from guard.broker.advice import MAX_STEPS, FieldAdvice, after_refusal
from guard.in_force import InForce
from guard.views import NextStep
from policies.bundle import load_bundle
from policies.model import Act, Form, Link, Permit, Purpose, Role
from tests.support.acts import act_files
from tests.support.policy_bundles import make_facts

IN_FORCE = InForce.of(load_bundle(act_files()))
OWNED = make_facts()
UNEXPLAINED = make_facts(link=Link.NONE)


def forms(**changes: object) -> dict[str, Form]:
    decision = IN_FORCE.engine.decide(make_facts(**changes))
    assert isinstance(decision, Permit)
    return dict(decision.forms)


def test_a_refusal_offers_what_would_turn_it_and_always_somebody_to_ask() -> None:
    off_shift = replace(UNEXPLAINED, on_shift=False)
    steps = after_refusal(IN_FORCE, off_shift, Act.VIEW)
    assert steps[-1] is NextStep.ASK_SECOND_LINE
    assert {NextStep.NAME_CASE, NextStep.WAIT} <= set(steps)
    abroad = after_refusal(IN_FORCE, replace(OWNED, same_region=False), Act.VIEW)
    assert abroad[0] is NextStep.HAND_OVER
    mfa = make_facts(purpose=Purpose.INVESTIGATION, link=Link.NONE, role=Role.ANALYST)
    assert after_refusal(IN_FORCE, mfa, Act.VIEW)


def test_nothing_is_offered_that_leads_nowhere() -> None:
    stranger = replace(OWNED, same_tenant=False)
    assert after_refusal(IN_FORCE, stranger, Act.VIEW) == (NextStep.ASK_SECOND_LINE,)


def test_a_covered_field_can_be_revealed_verified_or_used_unseen() -> None:
    advice = FieldAdvice().of(IN_FORCE, OWNED, Act.VIEW, forms())
    assert set(advice["email"]) >= {NextStep.CONTACT, NextStep.VERIFY, NextStep.REVEAL}
    assert NextStep.CUSTOMER_CODE in advice["address.street"]
    assert "plan" not in advice
    assert all(1 <= len(steps) <= MAX_STEPS for steps in advice.values())


def test_a_queue_leads_to_the_record_and_not_past_it() -> None:
    masked = {cls: min(form, Form.MASK) for cls, form in forms().items()}
    advice = FieldAdvice().of(IN_FORCE, OWNED, Act.LIST, masked)
    assert advice["plan"][0] is NextStep.VIEW
    assert all(NextStep.VERIFY not in steps for steps in advice.values())


def test_advice_is_worked_out_once_and_forgotten_when_there_is_too_much() -> None:
    advice = FieldAdvice()
    first = advice.of(IN_FORCE, OWNED, Act.VIEW, forms())
    assert advice.of(IN_FORCE, OWNED, Act.VIEW, forms()) is first
    advice.LIMIT = 0
    advice.of(IN_FORCE, UNEXPLAINED, Act.VIEW, forms())
    assert advice.of(IN_FORCE, OWNED, Act.VIEW, forms()) is not first
