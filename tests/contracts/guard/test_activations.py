"""The life of a policy, on both engines."""

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.activations import LAPSES_AFTER, MAX_BYTES, STARTED_WITH, Activations, load_active
from guard.clock import ManualClock
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.in_force import Policies
from guard.rows import ActivationRow, ActivationState
from guard.store import SqlStore
from guard.views import Refused, Served
from policies.bundle import digest_of, load_bundle
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND, put_people
from tests.support.policy_bundles import SMALL_CEDAR, small_files
from tests.support.rig import Rig, make_caller, open_rig

pytestmark = pytest.mark.anyio

NO_LINK = """
@id("no-link")
@reason("no case links you to this customer: name the case")
forbid (principal, action == Action::"Admit", resource)
when { [Link::"pending", Link::"none"].contains(context.link) };
"""
STRICT = small_files(cedar=SMALL_CEDAR + NO_LINK)
STRICTER = small_files(
    cedar=SMALL_CEDAR + NO_LINK.replace('"none"', '"owner"').replace("no-link", "no-owner")
)


@pytest.fixture
def rig(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path, small_files()) as opened:
        yield opened


async def in_force(rig: Rig, files: dict[str, bytes] = STRICT) -> ActivationRow:
    row = await rig.activations.propose(ANALYST, files, "views need a case")
    await rig.activations.approve(SECOND, row.id)
    return await rig.activations.activate(ANALYST, row.id)


def digest(rig: Rig) -> str:
    return rig.policies.of(TENANT).engine.bundle.digest


def steps(rig: Rig) -> list[str]:
    bodies = [e.event.body for e in rig.log() if e.kind is EntryKind.BUNDLE]
    return [str(body["state"]) for body in bodies if "state" in body]


async def test_the_next_request_is_decided_by_the_activated_policy(rig: Rig) -> None:
    await put_people(rig)
    (ref,) = await rig.customers(1)
    assert isinstance(await rig.broker.view(AGENT, rig.asks(ref)), Served)
    row = await in_force(rig)
    answer = await rig.broker.view(AGENT, rig.asks(ref))
    assert isinstance(answer, Refused)
    assert answer.determined_by == ("no-link",)
    refusal = [e for e in rig.log() if e.kind is EntryKind.REFUSAL][-1]
    assert refusal.event.bundle == row.digest == digest_of(STRICT)


async def test_every_step_is_an_entry_with_who_and_why(rig: Rig) -> None:
    await put_people(rig)
    row = await in_force(rig)
    await rig.activations.rollback(SECOND, "desks stand still")
    entries = [e.event for e in rig.log() if e.kind is EntryKind.BUNDLE]
    assert [e.agent for e in entries] == ["ana", "ben", "ana", "ben"]
    assert steps(rig) == ["proposed", "approved", "active", "rolled_back"]
    assert entries[0].body["because"] == "views need a case"
    assert all(e.body["digest"] == row.digest for e in entries[:3])
    assert entries[3].body["rolled_back_from"] == row.id
    assert entries[3].body["review"] == "due"


async def test_a_policy_takes_two_people_outside_one_line(rig: Rig) -> None:
    await put_people(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "views need a case")
    for caller in (ANALYST, make_caller("cim", role=ANALYST.role, line=("ciso",)), AGENT, AUDITOR):
        with pytest.raises(AccessDeniedError):
            await rig.activations.approve(caller, row.id)
    with pytest.raises(ConflictError):
        await rig.activations.activate(ANALYST, row.id)
    assert digest(rig) == digest_of(small_files())
    with pytest.raises(AccessDeniedError):
        await rig.activations.propose(AGENT, STRICT, "x")


async def test_what_nobody_approved_or_activated_in_time_is_proposed_again(rig: Rig) -> None:
    await put_people(rig)
    late, kept = [await rig.activations.propose(ANALYST, STRICT, "x") for _ in range(2)]
    rig.clock.advance(LAPSES_AFTER - 1)
    await rig.activations.approve(SECOND, kept.id)
    rig.clock.advance(1)
    with pytest.raises(ConflictError, match="not approved within 14 days"):
        await rig.activations.approve(SECOND, late.id)
    rig.clock.advance(LAPSES_AFTER - 1)
    with pytest.raises(ConflictError, match="not activated within 14 days"):
        await rig.activations.activate(ANALYST, kept.id)
    await in_force(rig)


async def test_no_step_can_be_taken_twice(rig: Rig) -> None:
    await put_people(rig)
    row = await in_force(rig)
    with pytest.raises(ConflictError):
        await rig.activations.approve(SECOND, row.id)
    with pytest.raises(ConflictError):
        await rig.activations.activate(SECOND, row.id)
    with pytest.raises(NotFoundError):
        await rig.activations.activate(SECOND, "pol-none")


async def test_two_activations_at_once_leave_exactly_one_active(rig: Rig) -> None:
    await put_people(rig)
    rows = [await rig.activations.propose(ANALYST, files, "x") for files in (STRICT, STRICTER)]
    for row in rows:
        await rig.activations.approve(SECOND, row.id)
    await asyncio.gather(*(rig.activations.activate(ANALYST, row.id) for row in rows))
    known = await rig.activations.list(AUDITOR)
    (active,) = [row for row in known if row.state is ActivationState.ACTIVE]
    assert active.digest == digest(rig)
    same = await asyncio.gather(
        *(rig.activations.activate(ANALYST, active.id) for _ in range(2)), return_exceptions=True
    )
    assert all(isinstance(error, ConflictError) for error in same)


async def test_of_one_policy_activated_twice_at_once_one_call_succeeds(rig: Rig) -> None:
    await put_people(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "x")
    await rig.activations.approve(SECOND, row.id)
    ended = await asyncio.gather(
        *(rig.activations.activate(ANALYST, row.id) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, ConflictError) for one in ended) == 2
    assert steps(rig).count("active") == 1


async def test_a_rollback_goes_back_and_further_back_and_never_forward(rig: Rig) -> None:
    await put_people(rig)
    await in_force(rig)
    await in_force(rig, STRICTER)
    first = await rig.activations.rollback(SECOND, "desks stand still")
    assert digest(rig) == digest_of(STRICT)
    assert first.review_due
    second = await rig.activations.rollback(SECOND, "still")
    assert digest(rig) == second.digest == digest_of(small_files())
    with pytest.raises(ConflictError):
        await rig.activations.rollback(SECOND, "and again")
    states = [row.state for row in await rig.activations.list(ANALYST)]
    assert states.count(ActivationState.ACTIVE) == 1
    assert [r.because for r in await rig.activations.list(ANALYST)].count(STARTED_WITH) == 1


async def test_what_was_never_active_is_no_place_to_go_back_to(rig: Rig) -> None:
    await put_people(rig)
    with pytest.raises(ConflictError):
        await rig.activations.rollback(SECOND, "x")
    row = await rig.activations.propose(ANALYST, STRICTER, "x")
    await rig.activations.approve(SECOND, row.id)
    await in_force(rig)
    back = await rig.activations.rollback(SECOND, "x")
    assert back.digest == digest_of(small_files())


async def test_a_rollback_is_reviewed_by_a_second_person_afterwards(rig: Rig) -> None:
    await put_people(rig)
    await in_force(rig)
    back = await rig.activations.rollback(SECOND, "desks stand still")
    with pytest.raises(AccessDeniedError):
        await rig.activations.approve(SECOND, back.id)
    reviewed = await rig.activations.approve(ANALYST, back.id)
    assert (reviewed.review_due, reviewed.state) == (False, ActivationState.ACTIVE)
    assert steps(rig)[-1] == "reviewed"


async def test_a_bundle_with_faults_is_not_even_proposed(rig: Rig) -> None:
    for files in (
        {"a.cedar": b"permit"},
        small_files(cedar=SMALL_CEDAR.replace('@id("show-contact")', '@id("let-in")')),
        small_files(fields='[fields]\nemail = { class = "contact", mask = "nonesuch" }\n'),
    ):
        with pytest.raises(InvalidRequestError, match="guard policy lint"):
            await rig.activations.propose(ANALYST, files, "x")
    with pytest.raises(InvalidRequestError, match="at most"):
        await rig.activations.propose(ANALYST, {"a.cedar": b" " * (MAX_BYTES + 1)}, "x")
    with pytest.raises(InvalidRequestError, match="because"):
        await rig.activations.propose(ANALYST, STRICT, " ")
    assert await rig.activations.list(ANALYST) == []


async def test_whoever_approves_can_read_what_was_proposed(rig: Rig) -> None:
    await put_people(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "x")
    assert (await rig.activations.get(SECOND, row.id)).files == STRICT
    with pytest.raises(NotFoundError):
        await rig.activations.get(make_caller("eve", tenant="other", role=ANALYST.role), row.id)
    with pytest.raises(AccessDeniedError):
        await rig.activations.list(AGENT)


async def test_another_process_follows(rig: Rig) -> None:
    await put_people(rig)
    other = Policies(load_bundle(small_files()))
    follower = Activations(rig.committer, rig.readers, rig.clock, other, rig.alerts)
    await follower.follow()
    assert other.of(TENANT).engine.bundle.digest == digest_of(small_files())
    await in_force(rig)
    await follower.follow()
    assert other.of(TENANT).engine.bundle.digest == digest_of(STRICT)
    await rig.activations.rollback(ANALYST, "x")
    await follower.follow()
    assert other.of(TENANT).engine.bundle.digest == digest_of(small_files())


async def test_a_start_finds_the_policy_in_force(rig: Rig) -> None:
    await put_people(rig)
    with rig.store.read() as view:
        assert load_active(view) == {}
    await in_force(rig)
    with rig.store.read() as view:
        assert load_active(view)[TENANT].digest == digest_of(STRICT)


@pytest.mark.parametrize("kept", [{}, {"a.cedar": b"permit"}, small_files()])
async def test_a_kept_policy_that_is_not_what_was_approved_stops_everything(
    rig: Rig, kept: dict[str, bytes]
) -> None:
    lost = ActivationRow(
        id="pol-lost",
        tenant=TENANT,
        digest="0" * 64,
        state=ActivationState.ACTIVE,
        because="x",
        proposed_by="ana",
        proposed_at=1,
        activated_at=1,
    )
    broken = dataclasses.replace(lost, digest=digest_of(kept)) if "a.cedar" in kept else lost
    with rig.store.begin() as rows:
        rows.put_activation(broken)
        rows.put_bundle(broken.digest, kept)
    with rig.store.read() as view, pytest.raises(ConfigurationError, match="pol-lost"):
        load_active(view)
    with pytest.raises(ConfigurationError, match="pol-lost"):
        await rig.activations.follow()
