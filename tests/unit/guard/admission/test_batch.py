from collections.abc import Iterator
from dataclasses import replace

import pytest

from guard import quotas
from guard.admission import Admitted
from guard.admission.batch import Batch, Decided, Landed, admit
from guard.entries import EntryKind, SealedEntry
from guard.errors import ConflictError, StoreUnavailableError
from guard.ports import Transaction, UnitOfWork
from guard.store import SqlStore
from policies.model import Measure
from tests.support.admissions import make_admission
from tests.support.makers import NOON, make_budget, make_entry, make_subject
from tests.support.sealing import PlainReceipts, PlainSealer

CUSTOMERS = make_budget(measure=Measure.CUSTOMERS, limit=5)
KEY = "agent:acme/a1"


@pytest.fixture
def rows(store: SqlStore) -> Iterator[UnitOfWork]:
    with store.begin() as opened:
        yield opened


def batch_of(rows: UnitOfWork, seq: int = 7, now: int = NOON) -> Batch:
    return Batch(rows, PlainSealer(), PlainReceipts(), seq=seq, now=now)


def landed_of(decided: Decided) -> Landed:
    assert decided.landed is not None
    return decided.landed


def used(rows: UnitOfWork, now: int) -> int:
    state = rows.budget_state({KEY}, (), now)
    quotas.settle(state, now)
    return sum(counter.used for counter in state.counters.values())


def test_numbers_and_indexes_go_on_from_what_is_there(rows: UnitOfWork) -> None:
    first = batch_of(rows)
    assert [first.record(make_entry()).index for _ in range(2)] == [0, 1]
    first.flush()
    second = batch_of(rows, seq=first.seq)
    receipt = second.record(make_entry(EntryKind.CASE, "c1"))
    assert (receipt.index, receipt.writer_seq, second.entries) == (2, 9, 1)


def test_times_go_on_where_the_clock_went_back(rows: UnitOfWork) -> None:
    first = batch_of(rows)
    first.record(make_entry(at=NOON + 50))
    first.flush()
    second = batch_of(rows, now=NOON)
    assert (second.tick(), second.tick()) == (NOON + 51, NOON + 52)


def test_undone_work_gives_its_numbers_back(rows: UnitOfWork) -> None:
    def spoil(transaction: Transaction) -> None:
        transaction.rows.add_subjects([make_subject("c5")])
        transaction.record(make_entry(EntryKind.CASE, "c5"))
        transaction.record(make_entry(EntryKind.CASE, "c1"))
        raise ConflictError("changed my mind")

    batch = batch_of(rows)
    batch.record(make_entry(EntryKind.CASE, "c1"))
    with pytest.raises(ConflictError):
        batch.attempt(spoil)
    receipt = batch.attempt(lambda t: t.record(make_entry(EntryKind.CASE, "c1")))
    batch.flush()
    assert (receipt.index, receipt.writer_seq) == (1, 8)
    assert rows.subjects({"c1", "c5"}) == {"c1": make_subject("c1", next_n=2)}


def test_refunds_of_the_same_customer_undo_each_other_newest_first(rows: UnitOfWork) -> None:
    batch = batch_of(rows)
    views = [Decided(make_admission("c1", [CUSTOMERS])) for _ in range(3)]
    admit(batch, views, [])
    batch.flush()
    assert all(isinstance(one.answer, Admitted) for one in views)
    assert used(rows, NOON + 9) == 2
    later = batch_of(rows, seq=batch.seq)
    admit(later, [], [landed_of(one) for one in views])
    later.flush()
    assert used(rows, NOON + 9) == 0
    assert rows.head()[0] == 6


def test_a_refund_leaves_a_later_view_of_the_customer_alone(rows: UnitOfWork) -> None:
    batch = batch_of(rows)
    views = [Decided(make_admission("c1", [CUSTOMERS])) for _ in range(2)]
    admit(batch, views, [])
    batch.flush()
    later = batch_of(rows, seq=batch.seq)
    admit(later, [], [landed_of(views[0])])
    assert used(rows, NOON + 9) == 2


def test_without_an_entry_there_is_no_refund(rows: UnitOfWork) -> None:
    batch = batch_of(rows)
    view = Decided(make_admission("c1", [CUSTOMERS]))
    admit(batch, [view], [])
    batch.flush()
    gone = landed_of(view)
    erased = replace(gone, entry=make_entry(EntryKind.VIEW, "c9"))
    later = batch_of(rows, seq=batch.seq)
    admit(later, [], [erased])
    assert (later.entries, used(rows, NOON + 9)) == (0, 2)


class FailingSealer(PlainSealer):
    """A sealer whose keys lie in a store that is away."""

    def seal(self, *_args: object, **_named: object) -> SealedEntry:
        raise StoreUnavailableError("the store failed, try again")


def test_a_statement_that_fails_in_one_admission_fails_them_all(rows: UnitOfWork) -> None:
    batch = Batch(rows, FailingSealer(), PlainReceipts(), seq=7, now=NOON)
    asked = [Decided(make_admission()), Decided(make_admission())]
    with pytest.raises(StoreUnavailableError):
        admit(batch, asked, ())
    assert [one.answer for one in asked] == [None, None]
