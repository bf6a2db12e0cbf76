"""What each mode carries out, on both engines."""

import pytest

from guard.clock import DAY
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.modes import LAPSES_AFTER
from guard.views import RefusalCode, Refused, Served
from policies.model import Mode
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND, put_people, suspend
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def set_mode(rig: Rig, mode: Mode, team: str = "") -> None:
    await put_people(rig)
    row = await rig.modes.propose(ANALYST, vendor="", team=team, purpose="", mode=mode)
    await rig.modes.approve(SECOND, row.id)


async def test_observe_shows_all_and_records_what_enforcing_would_have_done(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await set_mode(rig, Mode.OBSERVE)
    answer = await rig.broker.view(AGENT, rig.asks(ref, purpose="outreach"))
    assert isinstance(answer, Served)
    assert b"maria.gonzalez@example.com" in answer.record.to_json_bytes()
    assert (answer.mode, answer.would) == (Mode.OBSERVE, "refused")
    masked = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(masked, Served)
    assert masked.would == "masked"
    report = await rig.modes.report(ANALYST, 0, rig.clock.now() + DAY)
    counted = {(r.team, r.mode, r.would): r.views for r in report}
    assert counted["team-1", "observe", "refused"] == 1
    assert counted["team-1", "observe", "masked"] == 1


async def test_mask_masks_and_refuses_nothing(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await set_mode(rig, Mode.MASK)
    answer = await rig.broker.view(AGENT, rig.asks(ref, purpose="outreach"))
    assert isinstance(answer, Served)
    assert answer.would == "refused"
    assert b"maria.gonzalez@example.com" not in answer.record.to_json_bytes()


async def test_budgets_are_counted_and_not_enforced_outside_enforce(rig: Rig) -> None:
    refs = await rig.customers(42)
    await set_mode(rig, Mode.MASK)
    answers = [await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref))) for ref in refs]
    assert all(isinstance(a, Served) for a in answers)
    assert [a.would for a in answers if isinstance(a, Served)].count("refused") == 2


async def test_the_most_specific_rule_wins_and_others_are_enforced(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await set_mode(rig, Mode.OBSERVE, team="team-9")
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    assert answer.mode is Mode.ENFORCE


async def test_a_mode_takes_two_people_and_the_right_roles(rig: Rig) -> None:
    await put_people(rig)
    with pytest.raises(AccessDeniedError):
        await rig.modes.propose(AGENT, vendor="", team="", purpose="", mode=Mode.OBSERVE)
    row = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
    with pytest.raises(AccessDeniedError):
        await rig.modes.approve(ANALYST, row.id)
    with pytest.raises(AccessDeniedError):
        await rig.modes.approve(AGENT, row.id)
    with pytest.raises(NotFoundError):
        await rig.modes.approve(SECOND, "mode-none")
    await rig.modes.approve(SECOND, row.id)
    with pytest.raises(ConflictError):
        await rig.modes.approve(SECOND, row.id)
    assert [m.approved_by for m in await rig.modes.list(AUDITOR)] == ["ben"]
    with pytest.raises(AccessDeniedError):
        await rig.modes.list(AGENT)


async def test_a_suspension_bites_in_every_mode(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await set_mode(rig, Mode.OBSERVE)
    await suspend(rig)
    answer = await rig.broker.view(AGENT, rig.asks(ref))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.SUSPENDED


async def test_of_two_rules_for_one_scope_the_one_approved_last_is_in_force(rig: Rig) -> None:
    await put_people(rig)
    (ref,) = await rig.customers(1)
    strict = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.ENFORCE)
    loose = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
    await rig.modes.approve(SECOND, loose.id)
    rig.clock.advance(1)
    await rig.modes.approve(SECOND, strict.id)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    assert answer.mode is Mode.ENFORCE


async def test_a_rule_for_a_purpose_that_does_not_exist_is_refused(rig: Rig) -> None:
    with pytest.raises(InvalidRequestError):
        await rig.modes.propose(
            ANALYST, vendor="", team="", purpose="suport_case", mode=Mode.OBSERVE
        )


async def test_a_mode_that_nobody_approved_in_time_is_proposed_again(rig: Rig) -> None:
    await put_people(rig)
    row = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.MASK)
    rig.clock.advance(LAPSES_AFTER)
    with pytest.raises(ConflictError, match="propose it again"):
        await rig.modes.approve(SECOND, row.id)
