from dataclasses import replace

from guard.broker.charging import (
    SPENT_BY_OTHERS,
    bindings_of,
    list_limits,
    own_statuses,
    refused_by_budget,
)
from guard.entries import Receipt
from guard.in_force import InForce
from guard.quotas import statuses
from guard.rows import BudgetState, Situation, WorkListRow
from guard.views import NextStep
from policies.bundle import load_bundle
from policies.model import Act, Mode, Purpose, Risk
from tests.support.acts import act_files
from tests.support.makers import NOON, TENANT
from tests.support.rig import make_caller

IN_FORCE = InForce.of(load_bundle(act_files()))
RECEIPT = Receipt(entry_id="00" * 16, index=1, writer="w", writer_seq=1, leaf_hash="", signature="")
SITUATION = Situation(
    subject=None,
    case=None,
    assignments=(),
    own_open_cases=(),
    work_list=None,
    risk=Risk.NONE,
    is_suspended=False,
    mode=Mode.ENFORCE,
)
LIST = WorkListRow(
    id="l1",
    tenant=TENANT,
    team="team-1",
    campaign="spring",
    purpose=Purpose.OUTREACH,
    starts_at=0,
    ends_at=NOON,
    proposed_by="lead-1",
    approved_by="lead-2",
    size=2,
    lapses_at=NOON,
    fields=("email",),
    pace=7,
)


def empty() -> BudgetState:
    return BudgetState(counters={}, marks={}, expired={}, slots={})


def tries(customer: str | None = "c1") -> tuple[str, ...]:
    found = bindings_of(
        make_caller(), Purpose.SUPPORT_CASE, Risk.NONE, IN_FORCE, Act.VERIFY, customer
    )
    return tuple(binding.key for binding in found)


def test_a_verification_is_charged_to_the_agent_and_to_the_customer() -> None:
    assert tries() == (
        f"agent:{TENANT}/a1#verifications",
        f"customer:{TENANT}/c1#verifications",
    )
    assert len(tries(customer=None)) == 1


def test_a_work_list_adds_its_fields_and_its_pace_to_every_act() -> None:
    limits = list_limits(replace(SITUATION, work_list=LIST), make_caller())
    assert (limits.fields, [b.limit for b in limits.bindings]) == (("email",), [7])
    unpaced = replace(SITUATION, work_list=replace(LIST, pace=None))
    assert list_limits(unpaced, make_caller()).bindings == ()
    assert list_limits(SITUATION, make_caller()).fields is None


def test_what_others_spent_on_a_customer_is_told_to_nobody() -> None:
    bindings = bindings_of(
        make_caller(), Purpose.SUPPORT_CASE, Risk.NONE, IN_FORCE, Act.VERIFY, "c1"
    )
    found = statuses(empty(), bindings, NOON)
    assert [s.name for s in own_statuses(bindings, found)] == ["tries-day"]
    refused = refused_by_budget(bindings, found, ("tries-of-customer",), RECEIPT)
    assert (refused.reasons, refused.exceeded) == (SPENT_BY_OTHERS.reasons, ())
    assert refused.retry_at is None
    both = refused_by_budget(bindings, found, ("tries-day", "tries-of-customer"), RECEIPT)
    assert (both.exceeded, both.retry_at) == (("tries-day",), found[0].resets_at)
    assert NextStep.WAIT in both.steps
