"""Many callers, one budget: exactly the limit passes, on each engine."""

import asyncio
from threading import Thread

import pytest

from guard.admission import Admission, Admitted, Answer, GroupCommitter, Refused, Suspended
from guard.clock import ManualClock
from guard.entries import EntryKind
from guard.store import SqlStore
from policies.model import Budget, Measure
from tests.support.admissions import PATIENCE_S, Fault, FaultyStore, make_admission, running
from tests.support.log import kinds, opened_log, settle
from tests.support.makers import make_budget, make_response, make_subject
from tests.support.statements import counted

CALLERS = 32
EACH = 5
LIMIT = 100

VIEWS = make_budget(limit=LIMIT)
CUSTOMERS = make_budget("customers-day", measure=Measure.CUSTOMERS, limit=LIMIT)


@pytest.fixture
def stocked(store: SqlStore) -> SqlStore:
    with store.begin() as rows:
        rows.add_subjects([make_subject(f"c{n}") for n in range(CALLERS * EACH)])
    return store


def one(number: int) -> Admission:
    """A view by an agent of its own."""
    return make_admission(f"c{number}", [VIEWS, CUSTOMERS], agent=f"a{number}")


async def storm(committer: GroupCommitter, budget: Budget, first: int = 0) -> list[Answer]:
    """32 callers who ask five times each, every time for another customer."""

    async def caller(number: int) -> list[Answer]:
        refs = [f"c{(first + number * EACH + n) % (CALLERS * EACH)}" for n in range(EACH)]
        return [await committer.admit(make_admission(ref, [budget])) for ref in refs]

    answers = await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return [answer for some in answers for answer in some]


@pytest.mark.anyio
@pytest.mark.parametrize("budget", [VIEWS, CUSTOMERS], ids=["views", "customers"])
async def test_exactly_the_limit_passes(
    stocked: SqlStore, clock: ManualClock, budget: Budget
) -> None:
    with running(stocked, clock) as committer:
        answers = await storm(committer, budget)
    assert sum(isinstance(answer, Admitted) for answer in answers) == LIMIT
    assert sum(isinstance(answer, Refused) for answer in answers) == CALLERS * EACH - LIMIT
    logged = kinds(stocked)
    assert logged.count(EntryKind.VIEW) == LIMIT
    assert logged.count(EntryKind.REFUSAL) == CALLERS * EACH - LIMIT


@pytest.mark.parametrize("budget", [VIEWS, CUSTOMERS], ids=["views", "customers"])
def test_exactly_the_limit_passes_for_callers_on_several_loops(
    stocked: SqlStore, clock: ManualClock, budget: Budget
) -> None:
    answers: list[Answer] = []
    with running(stocked, clock) as committer:
        threads = [
            Thread(target=lambda: answers.extend(asyncio.run(storm(committer, budget))))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    passed = [answer for answer in answers if isinstance(answer, Admitted)]
    assert len(answers) == 3 * CALLERS * EACH
    if budget is VIEWS:
        assert len(passed) == LIMIT
    else:  # repeated views of an admitted customer pass too
        refs = {entry.refs for entry in opened_log(stocked) if entry.kind is EntryKind.VIEW}
        assert len(refs) == LIMIT


@pytest.mark.anyio
async def test_two_writers_on_one_database_share_the_budget(
    stocked: SqlStore, store_url: str, clock: ManualClock
) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("a SQLite file has one writer by design")
    with SqlStore(store_url) as other, running(stocked, clock) as one, running(other, clock) as two:
        results = await asyncio.gather(storm(one, VIEWS), storm(two, VIEWS))
    answers = [answer for some in results for answer in some]
    assert sum(isinstance(answer, Admitted) for answer in answers) == LIMIT
    assert kinds(stocked).count(EntryKind.VIEW) == LIMIT


@pytest.mark.anyio
async def test_nothing_is_admitted_after_a_suspension_is_acknowledged(
    stocked: SqlStore, clock: ManualClock
) -> None:
    budget = make_budget(limit=10_000)
    with running(stocked, clock) as committer:
        storming = asyncio.create_task(storm(committer, budget))
        first = await committer.admit(make_admission("c0", [budget]))
        await committer.run(lambda t: t.rows.put_response(make_response()))
        settle(stocked)
        with stocked.read() as view:
            acknowledged, _ = view.head()
        after = await storm(committer, budget)
        await storming
    assert all(isinstance(answer, Suspended) for answer in after)
    assert isinstance(first, Admitted)
    admitted = [entry.index for entry in opened_log(stocked) if entry.kind is EntryKind.VIEW]
    assert max(admitted) < acknowledged


@pytest.mark.anyio
async def test_a_batch_sends_as_many_statements_for_thirty_two_as_for_one(
    stocked: SqlStore, clock: ManualClock
) -> None:
    with running(stocked, clock) as committer:
        await asyncio.gather(*(committer.admit(one(number)) for number in range(CALLERS)))
    faulty = FaultyStore(stocked, [None, None, Fault.HANGS])
    with running(faulty, clock) as committer:
        with counted() as alone:
            await committer.admit(one(0))
        holding = asyncio.create_task(committer.admit(one(0)))
        await asyncio.to_thread(faulty.hung.wait, PATIENCE_S)
        # While that commit hangs, all others line up: they are one batch.
        waiting = [asyncio.create_task(committer.admit(one(n))) for n in range(CALLERS)]
        await asyncio.sleep(0)
        with counted() as together:
            faulty.gate.set()
            await asyncio.gather(holding, *waiting)
    assert len(together) == len(alone) <= 18
