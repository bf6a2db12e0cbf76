"""Quality samples: drawn, provable, independent; on both engines."""

from dataclasses import replace

import pytest

from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.purposes import samples
from guard.purposes.reports import AssignmentPut
from guard.purposes.samples import OPEN_FOR, SamplePut, Samples, draw
from guard.rows import KnownCase
from guard.views import Refused, Served, ViewRequest
from policies.model import ActorKind, Role
from tests.support.makers import NOON, TENANT, make_assignment, make_case, make_principal
from tests.support.people import AGENT, DIRECTORY, make_case_put
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio

ASKED = SamplePut(team="team-1", since=NOON - DAY, until=NOON + DAY, size=4, reviewers=("q1", "q2"))
HEAD = make_caller("head", role=Role.MANAGER, team="quality")
REVIEWER = make_caller("q1", team="quality", line=("head",))


async def closed(rig: Rig, count: int, *workers: str) -> list[str]:
    """People, and closed cases of the agent and whoever else worked on them."""
    people = [AGENT, HEAD, REVIEWER, make_caller("q2", team="quality", line=("head",))]
    await rig.directory.put(DIRECTORY, [row_of(p) for p in people])
    refs = await rig.customers(count)
    for n, ref in enumerate(refs):
        held = [
            AssignmentPut(agent=w, how="transfer", from_at=3 + i) for i, w in enumerate(workers)
        ]
        put = make_case_put(f"k{n}", ref)
        put = replace(put, closed_at=NOON - 1, assignments=(*put.assignments, *held))
        await rig.cases.put(DIRECTORY, put)
    return refs


async def test_a_sample_is_drawn_recorded_and_assigned_until_an_end(rig: Rig) -> None:
    await closed(rig, 6)
    sample = await rig.samples.draw(HEAD, ASKED)
    assert (len(sample.drawn), sample.drawn_from, sample.ends_at) == (4, 6, NOON + OPEN_FOR)
    assert {who for _, who in sample.drawn} == {"q1", "q2"}
    entries = [e for e in rig.log() if e.kind is EntryKind.SAMPLE]
    assert len(entries) == 1
    event = entries[0].event
    assert (event.agent, event.body["seed"], event.body["size"]) == ("head", sample.seed, 4)
    assert {part.case for part in entries[0].subjects if part} == {c for c, _ in sample.drawn}
    assigned = [e.event.body for e in rig.log() if e.event.body.get("how") == "qa"]
    assert [(b["case"], b["agent"]) for b in assigned] == list(sample.drawn)
    assert all((b["start"], b["until"]) == (True, NOON + OPEN_FOR) for b in assigned)


async def test_the_seed_of_the_entry_draws_the_same_again(rig: Rig) -> None:
    await closed(rig, 6)
    with rig.store.read() as view:
        cases = view.closed_cases(TENANT, "team-1", ASKED.since, ASKED.until, 99)
        reviewers = [p for p in view.principals(TENANT) if p.id in ASKED.reviewers]
    sample = await rig.samples.draw(HEAD, ASKED)
    again = draw(sample.seed, cases[::-1], reviewers[::-1], ASKED.size)
    assert [(one.case.case.id, one.reviewer) for one in again] == list(sample.drawn)


async def test_a_case_is_drawn_once(rig: Rig) -> None:
    await closed(rig, 5)
    first = await rig.samples.draw(HEAD, ASKED)
    second = await rig.samples.draw(HEAD, ASKED)
    assert len({case for case, _ in (*first.drawn, *second.drawn)}) == 5
    with pytest.raises(NotFoundError):
        await rig.samples.draw(HEAD, ASKED)


async def test_whoever_worked_on_a_case_does_not_review_it(rig: Rig) -> None:
    await closed(rig, 4, "q1")
    sample = await rig.samples.draw(HEAD, ASKED)
    assert {who for _, who in sample.drawn} == {"q2"}
    with pytest.raises(NotFoundError):
        await rig.samples.draw(HEAD, replace(ASKED, reviewers=("q1",)))


async def test_a_reviewer_sees_the_drawn_customer_until_the_end_and_no_other(rig: Rig) -> None:
    refs = await closed(rig, 2)
    sample = await rig.samples.draw(HEAD, replace(ASKED, size=1, reviewers=("q1",)))
    drawn = int(sample.drawn[0][0].removeprefix("k"))

    async def review(ref: str) -> Served | Refused:
        return await rig.broker.view(REVIEWER, ViewRequest(customer=ref, purpose="quality_review"))

    assert isinstance(await review(refs[drawn]), Served)
    assert isinstance(await review(refs[1 - drawn]), Refused)
    rig.clock.advance(OPEN_FOR)
    assert isinstance(await review(refs[drawn]), Refused)


async def test_what_makes_no_sense_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await closed(rig, 1)
    bot = row_of(make_caller("bot", team="quality", kind=ActorKind.AI))
    gone = replace(row_of(make_caller("gone", team="quality")), is_active=False)
    await rig.directory.put(DIRECTORY, [bot, gone])
    for changed in (
        {"size": 0},
        {"size": 201},
        {"until": ASKED.since},
        {"until": ASKED.since + 93 * DAY},
        {"reviewers": ()},
        {"reviewers": ("a1",)},
        {"reviewers": ("nobody",)},
        {"reviewers": ("bot",)},
        {"reviewers": ("gone",)},
    ):
        with pytest.raises(InvalidRequestError):
            await rig.samples.draw(HEAD, replace(ASKED, **changed))
    monkeypatch.setattr(samples, "MAX_REVIEWERS", 1)
    with pytest.raises(InvalidRequestError):
        await rig.samples.draw(HEAD, ASKED)
    with pytest.raises(AccessDeniedError):
        await rig.samples.draw(HEAD, replace(ASKED, reviewers=("head",)))
    with pytest.raises(AccessDeniedError):
        await rig.samples.draw(make_caller("head", scopes=frozenset()), ASKED)


def test_reviewers_share_the_work_evenly() -> None:
    cases = [
        KnownCase(case=make_case(f"k{n}"), assignments=(make_assignment(f"k{n}"),))
        for n in range(9)
    ]
    drawn = draw("seed", cases, [make_principal(f"q{n}") for n in range(3)], 9)
    assert sorted(one.reviewer for one in drawn) == [f"q{n}" for n in range(3) for _ in range(3)]
    other = draw("another", cases, [make_principal("q0")], 9)
    assert [one.case for one in other] != [one.case for one in drawn]


async def test_a_pool_of_a_few_cases_is_refused_since_whoever_asks_would_pick(rig: Rig) -> None:
    await closed(rig, 3)
    wary = Samples(rig.committer, rig.readers, rig.clock, min_pool=4)
    with pytest.raises(InvalidRequestError, match="at least 4 closed cases"):
        await wary.draw(HEAD, replace(ASKED, size=1))
    drawn = await Samples(rig.committer, rig.readers, rig.clock, min_pool=3).draw(
        HEAD, replace(ASKED, size=1)
    )
    assert drawn.drawn_from == 3
    (entry,) = [e for e in rig.log() if e.kind is EntryKind.SAMPLE]
    assert entry.event.body["per_mille"] == 333
