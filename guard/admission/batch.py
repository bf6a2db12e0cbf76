"""One transaction in the making: entries, and the admissions that are decided on locked rows.

Locks are taken in one order: the tree's head, principals by key, budgets by key, subjects by
reference. Entry times of admissions strictly increase, whatever the clock does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from guard import quotas
from guard.admission.requests import (
    Admission,
    Admitted,
    Answer,
    ReceiptSigner,
    Refused,
    Sealer,
    Stale,
    Suspended,
)
from guard.clock import Micros
from guard.entries import Charge, EntryKind, NewEntry, Receipt, SealedEntry
from guard.errors import KeyUnavailableError, StoreUnavailableError
from guard.ports import Transaction, UnitOfWork
from guard.quotas import Charged, Spent
from guard.rows import BudgetState, LockedPrincipal, SubjectRow
from policies.model import Risk

T = TypeVar("T")

_LADDER = tuple(Risk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What an admission wrote, kept in case it must be given back."""

    entry: NewEntry
    entry_id: str
    charged: Charged


@dataclass(slots=True)
class Decided:
    """How one admission of a batch went, to be told after the commit."""

    admission: Admission
    answer: Answer | None = None
    error: Exception | None = None
    landed: Landed | None = None


class Batch:
    """One transaction in the making; `ports.Transaction` for the work in it."""

    def __init__(
        self, rows: UnitOfWork, sealer: Sealer, receipts: ReceiptSigner, *, seq: int, now: Micros
    ) -> None:
        """Number this writer's entries from `seq`, and take times from `now` on."""
        self.rows = rows
        self.seq = seq
        self._sealer, self._receipts = sealer, receipts
        self._next = rows.next_index()
        self._at = max(now - 1, rows.newest_at())
        self._sealed: list[SealedEntry] = []
        self._subjects: dict[str, SubjectRow] = {}
        self._next_n: dict[str, int] = {}

    @property
    def at(self) -> Micros:
        """The time of the newest entry."""
        return self._at

    @property
    def entries(self) -> int:
        """How many entries will be appended."""
        return len(self._sealed)

    def tick(self) -> Micros:
        """A time later than that of every entry before."""
        self._at += 1
        return self._at

    def last_tick(self, count: int) -> Micros:
        """The time that the `count`-th tick from here will give."""
        return self._at + count

    def lock_subjects(self, entries: Iterable[NewEntry]) -> None:
        """Lock, in one statement, the subjects of `entries` that are not locked yet."""
        refs = {part.customer for new in entries for part in new.subjects}
        self._subjects |= self.rows.lock_subjects(refs - self._subjects.keys())

    def record(self, entry: NewEntry) -> Receipt:
        """See `Transaction.record`; the entry itself is written when the batch is flushed.

        Work may have read the clock before others of this batch: its entry then gets their time,
        so that times never run back along the log.
        """
        self._at = max(self._at, entry.event.at)
        entry = replace(entry, event=msgspec.structs.replace(entry.event, at=self._at))
        self.lock_subjects([entry])
        sealed = self._sealer.seal(
            entry, writer_seq=self.seq, subjects=self._subjects, next_n=self._next_n
        )
        index = None if self._next is None else self._next + len(self._sealed)
        receipt = self._receipts.sign(sealed, index)
        self._sealed.append(sealed)
        self.seq += 1
        return receipt

    def attempt(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; if it raises, leave no trace of it."""
        seq, count, next_n = self.seq, len(self._sealed), dict(self._next_n)
        try:
            with self.rows.savepoint():
                return work(self)
        except BaseException:
            self.seq, self._next_n = seq, next_n
            del self._sealed[count:]
            # Rows that the work itself had added are gone again.
            self._subjects.clear()
            raise

    def flush(self) -> None:
        """Write the entries and the subjects' numbers."""
        self.rows.append(self._sealed)
        self.rows.advance_subjects(self._next_n)


def admit(batch: Batch, admissions: Sequence[Decided], refunds: Sequence[Landed]) -> None:
    """Decide all admissions of a batch in order, on rows that are locked together."""
    asked = [one.admission for one in admissions]
    end = batch.last_tick(len(asked) + len(refunds))
    principals = batch.rows.lock_principals({key for one in asked for key in one.keys}, end)
    pairs = {(binding.key, one.ref) for one in asked for binding in one.bindings}
    pairs |= {(charge.key, one.charged.ref) for one in refunds for charge in one.charged.charges}
    state = batch.rows.lock_budgets(
        {key for key, _ in pairs},
        pairs,
        end,
        min((one.charged.at for one in refunds), default=end),
    )
    batch.lock_subjects([*(one.entry for one in asked), *(one.entry for one in refunds)])
    # Newest first: each then finds the mark that its own view left.
    for landed in reversed(refunds):
        _give_back(batch, landed, state)
    for decided in admissions:
        try:
            decided.answer = _answer(batch, decided, state, principals)
        except StoreUnavailableError:
            raise  # a statement failed: nobody knows what is left of the transaction
        except Exception as error:  # noqa: BLE001 - not swallowed: its caller raises it
            decided.error = error
    batch.rows.save_budgets(state)


def _answer(
    batch: Batch,
    decided: Decided,
    state: BudgetState,
    principals: Mapping[str, LockedPrincipal],
) -> Answer:
    admission = decided.admission
    at = batch.tick()
    locked = [principals[key] for key in admission.keys]
    if any(one.suspended_until is not None and one.suspended_until > at for one in locked):
        return Suspended(batch.record(_stamped(admission.suspended, at)))
    risk = max((one.risk for one in locked), key=_LADDER.index, default=Risk.NONE)
    if _LADDER.index(risk) > _LADDER.index(admission.risk):
        return Stale(risk)
    outcome = quotas.consume(state, admission.bindings, admission.ref, at)
    if isinstance(outcome, Spent):
        return _view(batch, decided, admission.entry, state, outcome, at)
    over = outcome.budgets
    entry = admission.exceeded(over)
    if not admission.is_enforced:
        spent = quotas.charge(state, admission.bindings, admission.ref, at)
        return replace(_view(batch, decided, entry, state, spent, at), over=over)
    receipt = batch.record(_stamped(entry, at))
    left = quotas.statuses(state, admission.bindings, at)
    return Refused(receipt, over, outcome.retry_at, left)


def _view(
    batch: Batch, decided: Decided, view: NewEntry, state: BudgetState, spent: Spent, at: Micros
) -> Admitted:
    bindings, ref = decided.admission.bindings, decided.admission.ref
    entry = _stamped(view, at, spent.charges)
    charged = Charged(at=at, ref=ref, charges=spent.charges, before=spent.before)
    try:
        receipt = batch.record(entry)
    except BaseException:
        # The others of this batch must not pay for it.
        quotas.refund(state, charged, at)
        raise
    decided.landed = Landed(entry=entry, entry_id=receipt.entry_id, charged=charged)
    return Admitted(receipt, spent.charges, quotas.statuses(state, bindings, at))


def _give_back(batch: Batch, landed: Landed, state: BudgetState) -> None:
    """Write the refund of a view whose caller had gone when it landed."""
    at = batch.tick()
    charged = landed.charged
    event = msgspec.structs.replace(
        landed.entry.event,
        at=at,
        kind=EntryKind.REFUND.name.lower(),
        classes={},
        n_fields=0,
        n_sensitive=0,
        charges=quotas.taken_back(charged),
        body={"of": landed.entry_id, "view_at": charged.at, "before": dict(charged.before)},
    )
    refund = NewEntry(kind=EntryKind.REFUND, event=event, subjects=landed.entry.subjects)
    try:
        batch.record(refund)
    except KeyUnavailableError:
        # The customer was erased meanwhile: without an entry the charge must stand.
        return
    quotas.refund(state, charged, at)


def _stamped(entry: NewEntry, at: Micros, charges: tuple[Charge, ...] = ()) -> NewEntry:
    return replace(entry, event=msgspec.structs.replace(entry.event, at=at, charges=charges))
