import asyncio
from collections.abc import Callable

import pytest

from guard import quotas
from guard.admission import Admitted, GroupCommitter, Refused, Stale, Suspended
from guard.admission import committer as module
from guard.clock import ManualClock
from guard.entries import EntryKind, Receipt, SealedEntry
from guard.errors import (
    ConflictError,
    DurabilityError,
    KeyUnavailableError,
    NotFoundError,
    StoreUnavailableError,
    TransactionLostError,
)
from guard.ports import Transaction
from guard.rows import ResponseKind
from guard.store import SqlStore
from policies.model import Measure, Risk
from tests.support.admissions import PATIENCE_S, Fault, FaultyStore, make_admission, running
from tests.support.log import entry_of, kinds, opened_log
from tests.support.makers import (
    NOON,
    make_budget,
    make_entry,
    make_principal,
    make_response,
    make_subject,
)
from tests.support.sealing import PlainReceipts, PlainSealer

pytestmark = pytest.mark.anyio

VIEWS = make_budget(limit=2)
CUSTOMERS = make_budget("customers-day", measure=Measure.CUSTOMERS, limit=1)


def record(kind: EntryKind, *refs: str) -> Callable[[Transaction], Receipt]:
    return lambda transaction: transaction.record(make_entry(kind, *refs))


def used(store: SqlStore, clock: ManualClock) -> list[int]:
    with store.read() as view:
        state = view.budget_state({"agent:acme/a1"}, (), clock.now())
    bindings = make_admission(budgets=[VIEWS, CUSTOMERS]).bindings
    return [status.used for status in quotas.statuses(state, bindings, clock.now())]


async def test_a_writer_opens_serves_and_closes(store: SqlStore, clock: ManualClock) -> None:
    with running(store, clock) as committer:
        answer = await committer.admit(make_admission(budgets=[VIEWS, CUSTOMERS]))
    assert isinstance(answer, Admitted)
    opened, view, closed = opened_log(store)
    assert (opened.kind, view.kind, closed.kind) == (
        EntryKind.WRITER_OPEN,
        EntryKind.VIEW,
        EntryKind.WRITER_CLOSE,
    )
    assert opened.event.body["key"] == PlainReceipts.public_key
    assert (answer.receipt.index, answer.receipt.writer_seq) == (1, 1)
    assert answer.receipt.entry_id == view.entry_id
    assert view.event.charges == answer.charges
    assert view.event.at > opened.event.at
    assert [(s.name, s.left) for s in answer.statuses] == [("views-day", 1), ("customers-day", 0)]


async def test_a_writers_last_entry_says_what_it_was_given(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        committer.last_words = lambda: {"reads": 7}
    assert opened_log(store)[-1].event.body == {
        "writer": opened_log(store)[0].event.body["writer"],
        "key": PlainReceipts.public_key,
        "reads": 7,
    }


async def test_a_writer_whose_thread_died_refuses_at_once(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        was_alive = committer.is_alive
        committer._give_up.set()  # noqa: SLF001 - what ends the thread behind the writer's back
        await committer.run(record(EntryKind.ALERT))
        committer._thread.join(PATIENCE_S)  # noqa: SLF001 - as above
        assert (was_alive, committer.is_alive) == (True, False)
        with pytest.raises(StoreUnavailableError, match="the writer is stopped"):
            await committer.run(record(EntryKind.ALERT))


async def test_a_writer_told_to_refuse_serves_nothing_more(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        committer.refuse_all()
        with pytest.raises(StoreUnavailableError, match="the writer is stopped"):
            await committer.run(record(EntryKind.ALERT))
    assert kinds(store) == [EntryKind.WRITER_OPEN]
    assert not committer._thread.is_alive()  # noqa: SLF001 - it must end though it refuses


async def test_after_a_disk_lost_what_it_took_nothing_more_is_written(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.DISK])
    with running(faulty, clock) as committer:
        with pytest.raises(DurabilityError):
            await committer.run(record(EntryKind.ALERT))
        begun = faulty.begun
        with pytest.raises(StoreUnavailableError, match="stopped"):
            await committer.run(record(EntryKind.ALERT))
        assert not committer.is_alive
    assert faulty.begun == begun
    assert kinds(store) == [EntryKind.WRITER_OPEN]


async def test_while_somebody_holds_no_view_is_admitted_and_other_work_goes_on(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        committer.hold("backlog", "too many entries wait for their place in the log, try again")
        with pytest.raises(StoreUnavailableError, match="their place in the log"):
            await committer.admit(make_admission())
        await committer.run(record(EntryKind.ALERT))
        committer.hold("backlog", "")
        assert isinstance(await committer.admit(make_admission()), Admitted)


async def test_who_releases_releases_nothing_of_another(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        committer.hold("backlog", "too far behind")
        committer.hold("outsiders", "witnesses failed for longer than is allowed, try later")
        committer.hold("backlog", "")
        committer.hold("nobody", "")
        with pytest.raises(StoreUnavailableError, match="witnesses failed"):
            await committer.admit(make_admission())
        committer.hold("outsiders", "")
        assert isinstance(await committer.admit(make_admission()), Admitted)


async def test_a_spent_budget_refuses_and_charges_nothing(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        for _ in range(2):
            assert isinstance(await committer.admit(make_admission(budgets=[VIEWS])), Admitted)
        answer = await committer.admit(make_admission(budgets=[VIEWS, CUSTOMERS]))
    assert isinstance(answer, Refused)
    assert answer.exceeded == ("views-day",)
    assert answer.retry_at > clock.now()
    assert used(store, clock) == [2, 0]
    refusal = entry_of(answer.receipt, opened_log(store))
    assert refusal.kind is EntryKind.REFUSAL
    assert (refusal.event.reasons, refusal.event.charges) == (("views-day",), ())


async def test_a_mode_without_refusals_charges_beyond_the_limit_and_says_so(
    store: SqlStore, clock: ManualClock
) -> None:
    asked = make_admission(
        budgets=[CUSTOMERS],
        ref="c2",
        is_enforced=False,
        exceeded=lambda _: make_entry(EntryKind.VIEW, "c2", would="refused"),
    )
    with running(store, clock) as committer:
        await committer.admit(make_admission("c1", [CUSTOMERS]))
        answer = await committer.admit(asked)
    assert isinstance(answer, Admitted)
    assert answer.over == ("customers-day",)
    assert used(store, clock) == [0, 2]
    assert opened_log(store)[2].event.would == "refused"


async def test_a_suspended_key_is_refused_with_an_entry(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        await committer.run(lambda t: t.rows.put_response(make_response()))
        answer = await committer.admit(make_admission(budgets=[VIEWS]))
        clock.advance(make_response().ends_at - NOON)
        later = await committer.admit(make_admission(budgets=[VIEWS]))
    assert isinstance(answer, Suspended)
    assert isinstance(later, Admitted)
    assert opened_log(store)[1].event.reasons == ("suspended",)


async def test_a_decision_made_for_a_milder_risk_is_stale(
    store: SqlStore, clock: ManualClock
) -> None:
    response = make_response(kind=ResponseKind.MASK_MORE)
    with running(store, clock) as committer:
        await committer.run(lambda t: t.rows.put_response(response))
        assert await committer.admit(make_admission()) == Stale(Risk.MASK_MORE)
        again = await committer.admit(make_admission(risk=Risk.MASK_MORE))
    assert isinstance(again, Admitted)
    assert kinds(store).count(EntryKind.VIEW) == 1


async def test_work_that_raises_leaves_no_trace_and_hurts_nobody(
    store: SqlStore, clock: ManualClock
) -> None:
    def spoil(transaction: Transaction) -> None:
        transaction.rows.put_principal(make_principal("a7"))
        transaction.record(make_entry(EntryKind.CASE, "c1"))
        transaction.rows.add_subjects([make_subject("c1")])

    with running(store, clock) as committer:
        results = await asyncio.gather(
            committer.run(record(EntryKind.CASE, "c1")),
            committer.run(spoil),
            committer.run(record(EntryKind.ALERT)),
            committer.admit(make_admission()),
            return_exceptions=True,
        )
    assert isinstance(results[1], ConflictError)
    assert [type(r) for r in results] == [Receipt, ConflictError, Receipt, Admitted]
    assert set(kinds(store)[1:4]) == {EntryKind.CASE, EntryKind.ALERT, EntryKind.VIEW}
    with store.read() as view:
        assert view.principal("acme", "a7") is None
        assert view.subjects({"c1"})["c1"].next_n == 2


async def test_all_work_of_a_lost_transaction_is_told_so(
    store: SqlStore, clock: ManualClock
) -> None:
    def lose(transaction: Transaction) -> None:
        transaction.record(make_entry(EntryKind.CASE, "c1"))
        raise TransactionLostError("the disk is full; free some space")

    with running(store, clock) as committer:
        results = await asyncio.gather(
            committer.run(record(EntryKind.ALERT)), committer.run(lose), return_exceptions=True
        )
        await committer.run(record(EntryKind.ALERT))
    assert [type(r) for r in results] == [TransactionLostError, TransactionLostError]
    assert kinds(store) == [EntryKind.WRITER_OPEN, EntryKind.ALERT, EntryKind.WRITER_CLOSE]


async def test_a_batch_that_another_stood_in_the_way_of_is_done_again(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.COLLIDED, Fault.COLLIDED])
    with running(faulty, clock) as committer:
        assert isinstance(await committer.admit(make_admission()), Admitted)
    assert kinds(store) == [EntryKind.WRITER_OPEN, EntryKind.VIEW, EntryKind.WRITER_CLOSE]


async def test_work_and_admissions_that_waited_together_share_no_transaction(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.HANGS])
    order: list[int] = []

    def note(_transaction: Transaction) -> None:
        order.append(faulty.begun)

    with running(faulty, clock) as committer:
        first = asyncio.create_task(committer.run(record(EntryKind.ALERT)))
        await asyncio.to_thread(faulty.hung.wait, PATIENCE_S)
        waiting = [
            asyncio.create_task(committer.admit(make_admission())),
            asyncio.create_task(committer.run(note)),
        ]
        await asyncio.sleep(0)
        faulty.gate.set()
        await asyncio.gather(first, *waiting)
        # The opening, the one that hung, the work, and only then the view.
        assert (order, faulty.begun) == ([3], 4)


async def test_what_waited_while_the_disk_failed_is_not_written(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.HANGS, Fault.DISK])
    with running(faulty, clock) as committer:
        first = asyncio.create_task(committer.run(record(EntryKind.ALERT)))
        await asyncio.to_thread(faulty.hung.wait, PATIENCE_S)
        waiting = [
            asyncio.create_task(committer.admit(make_admission())),
            asyncio.create_task(committer.run(record(EntryKind.ALERT))),
        ]
        await asyncio.sleep(0)
        faulty.gate.set()
        results = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert [type(one) for one in results] == [Receipt, StoreUnavailableError, DurabilityError]
    assert kinds(store) == [EntryKind.WRITER_OPEN, EntryKind.ALERT]


async def test_an_entry_that_cannot_be_sealed_charges_nothing(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        results = await asyncio.gather(
            committer.admit(make_admission("c9", [VIEWS, CUSTOMERS])),
            committer.admit(make_admission("unknown", [VIEWS, CUSTOMERS])),
            committer.admit(make_admission("c1", [VIEWS, CUSTOMERS])),
            return_exceptions=True,
        )
    assert [type(r) for r in results] == [KeyUnavailableError, NotFoundError, Admitted]
    assert used(store, clock) == [1, 1]


async def test_a_commit_that_was_lost_is_done_again(store: SqlStore, clock: ManualClock) -> None:
    faulty = FaultyStore(store, [None, Fault.LOST, None, Fault.LOST])
    with running(faulty, clock) as committer:
        answer = await committer.admit(make_admission(budgets=[VIEWS]))
    assert isinstance(answer, Admitted)
    assert kinds(store) == [EntryKind.WRITER_OPEN, EntryKind.VIEW, EntryKind.WRITER_CLOSE]
    assert used(store, clock) == [1, 0]


async def test_a_commit_that_landed_unseen_is_not_done_twice(
    store: SqlStore, clock: ManualClock
) -> None:
    # The look-up fails once as well.
    faulty = FaultyStore(store, [None, Fault.LANDED, Fault.LOST])
    with running(faulty, clock) as committer:
        answer = await committer.admit(make_admission(budgets=[VIEWS]))
    assert isinstance(answer, Admitted)
    assert kinds(store) == [EntryKind.WRITER_OPEN, EntryKind.VIEW, EntryKind.WRITER_CLOSE]
    assert used(store, clock) == [1, 0]


async def test_work_without_an_entry_is_told_that_its_commit_failed(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.LOST])
    with running(faulty, clock) as committer:
        with pytest.raises(StoreUnavailableError):
            await committer.run(lambda t: t.rows.put_principal(make_principal()))
        assert isinstance(await committer.admit(make_admission()), Admitted)


async def test_what_lands_after_its_deadline_is_given_back(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.HANGS])
    with running(faulty, clock, deadline_s=2.0) as committer:
        first = asyncio.create_task(committer.admit(make_admission("c1", [VIEWS, CUSTOMERS])))
        await asyncio.to_thread(faulty.hung.wait, PATIENCE_S)
        second = asyncio.create_task(committer.admit(make_admission("c2", [VIEWS])))
        # The loop is alive, and who waits in line is told in time too.
        results = await asyncio.gather(first, second, return_exceptions=True)
        faulty.gate.set()
    assert [type(result) for result in results] == [StoreUnavailableError] * 2
    log = opened_log(store)
    assert [entry.kind for entry in log] == [
        EntryKind.WRITER_OPEN,
        EntryKind.VIEW,
        EntryKind.REFUND,
        EntryKind.WRITER_CLOSE,
    ]
    assert log[2].event.body["of"] == log[1].entry_id
    assert [charge.amount for charge in log[2].event.charges] == [-1, -1]
    assert used(store, clock) == [0, 0]
    charged = [one for one in map(quotas.charged_in, log) if one is not None]
    assert all(c.used == 0 for c in quotas.rebuild(charged, clock.now()).counters.values())


async def test_a_cancelled_caller_is_not_charged(store: SqlStore, clock: ManualClock) -> None:
    faulty = FaultyStore(store, [None, Fault.HANGS])
    with running(faulty, clock) as committer:
        task = asyncio.create_task(committer.admit(make_admission(budgets=[VIEWS])))
        await asyncio.to_thread(faulty.hung.wait, PATIENCE_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        faulty.gate.set()
    assert kinds(store)[1:] == [EntryKind.VIEW, EntryKind.REFUND, EntryKind.WRITER_CLOSE]
    assert used(store, clock) == [0, 0]


async def test_a_full_queue_refuses_at_once(store: SqlStore, clock: ManualClock) -> None:
    faulty = FaultyStore(store, [None, Fault.HANGS])
    with running(faulty, clock, waiting=1) as committer:
        first = asyncio.create_task(committer.admit(make_admission()))
        await asyncio.to_thread(faulty.hung.wait, PATIENCE_S)
        second = asyncio.create_task(committer.admit(make_admission()))
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError, match="too many requests"):
            await committer.admit(make_admission())
        faulty.gate.set()
        assert isinstance(await first, Admitted)
        assert isinstance(await second, Admitted)


async def test_a_closed_committer_refuses(store: SqlStore, clock: ManualClock) -> None:
    with running(store, clock) as committer:
        pass
    with pytest.raises(StoreUnavailableError, match="stopped"):
        await committer.admit(make_admission())
    committer.close()


def test_a_writer_that_cannot_register_does_not_start(store: SqlStore, clock: ManualClock) -> None:
    def make(store: FaultyStore, deadline_s: float) -> GroupCommitter:
        return GroupCommitter(
            store, PlainSealer(), PlainReceipts(), clock=clock, deadline_s=deadline_s
        )

    with store.begin() as rows:
        rows.append([])
    hanging = FaultyStore(store, [Fault.HANGS])
    with pytest.raises(StoreUnavailableError, match="first entry"):
        make(hanging, 0.05).start()
    hanging.gate.set()


async def test_entry_times_increase_though_the_clock_stands(
    store: SqlStore, clock: ManualClock
) -> None:
    with running(store, clock) as committer:
        await asyncio.gather(*(committer.admit(make_admission()) for _ in range(20)))
    times = [entry.event.at for entry in opened_log(store)]
    assert times == sorted(set(times))


async def test_an_answer_that_settles_at_the_deadline_is_the_answer(
    store: SqlStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_deliver", lambda _tickets: None)
    with running(store, clock, deadline_s=1.0) as committer:
        receipt = await committer.run(record(EntryKind.ALERT))
        with pytest.raises(ConflictError):
            await committer.run(fail_with(ConflictError("no")))
    assert receipt.index == 1


async def test_a_caller_who_has_gone_is_not_woken() -> None:
    ticket = module._Ticket(lambda _tx: None)  # noqa: SLF001 - the race cannot be made from outside
    ticket.future.cancel()
    ticket.deliver()
    assert ticket.future.cancelled()


async def test_more_than_a_batch_is_committed_in_several(
    store: SqlStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    with running(store, clock) as committer:
        works = [committer.run(record(EntryKind.ALERT)) for _ in range(10)]
        receipts = await asyncio.gather(*works)
    assert sorted(r.writer_seq for r in receipts) == list(range(1, 11))


async def test_a_commit_of_unknown_outcome_is_given_up_when_the_writer_ends(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.LOST])
    with running(faulty, clock) as committer:
        committer._give_up.set()  # noqa: SLF001 - the writer is told to end while it asks
        with pytest.raises(StoreUnavailableError):
            await committer.run(record(EntryKind.ALERT))


def fail_with(error: Exception) -> Callable[[Transaction], None]:
    def work(_tx: Transaction) -> None:
        raise error

    return work


async def test_work_whose_caller_gave_up_needs_no_refund(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [None, Fault.HANGS])
    with running(faulty, clock, deadline_s=1.0) as committer:
        with pytest.raises(StoreUnavailableError):
            await committer.run(record(EntryKind.ALERT))
        faulty.gate.set()
        await committer.run(record(EntryKind.ALERT))
    assert EntryKind.REFUND not in kinds(store)


def test_a_writer_whose_first_entry_hangs_does_not_start(
    store: SqlStore, clock: ManualClock
) -> None:
    faulty = FaultyStore(store, [Fault.HANGS])
    committer = GroupCommitter(faulty, PlainSealer(), PlainReceipts(), clock=clock, deadline_s=0.2)
    with pytest.raises(StoreUnavailableError):
        committer.start()
    faulty.gate.set()
    committer._thread.join(PATIENCE_S)  # noqa: SLF001 - so that the store outlives its writer


def test_a_writer_that_the_store_refuses_does_not_start(
    store: SqlStore, clock: ManualClock
) -> None:
    class Unsealed(PlainSealer):
        def seal(self, *_args: object, **_named: object) -> SealedEntry:
            raise KeyUnavailableError("the epoch's key cannot be had")

    committer = GroupCommitter(
        store, Unsealed(), PlainReceipts(), clock=clock, deadline_s=PATIENCE_S
    )
    with pytest.raises(KeyUnavailableError):
        committer.start()
    assert not committer.is_alive
