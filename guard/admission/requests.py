"""What is asked of admission, how it can end, and what it asks of the ledger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from guard.clock import Micros
from guard.entries import Charge, NewEntry, Receipt, SealedEntry
from guard.quotas import Binding, BudgetStatus
from guard.rows import SubjectRow
from policies.model import Risk


class Sealer(Protocol):
    """*Protocol* of what turns an entry into a leaf and sealed parts; `guard.ledger` has one."""

    @property
    def writer(self) -> bytes:
        """The writer's 8-byte id."""
        ...

    def seal(
        self,
        new: NewEntry,
        *,
        writer_seq: int,
        subjects: Mapping[str, SubjectRow],
        next_n: dict[str, int],
    ) -> SealedEntry:
        """Seal `new`, moving `next_n` on for a single subject."""
        ...


class ReceiptSigner(Protocol):
    """*Protocol* of what signs receipts with the writer's key; `guard.ledger` has one."""

    @property
    def public_key(self) -> str:
        """The public key in base64, as the writer's first entry names it."""
        ...

    def sign(self, sealed: SealedEntry, index: int | None) -> Receipt:
        """Promise that `sealed` stands at `index`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One view that the policy permits, with the entry for each way in which it may end.

    `keys` are locked; `risk` is what the decision was made for; `ref` is the customer by the name
    that budgets have for it, never its reference (`Keyring.counted_as`). `exceeded` makes the entry
    for the names of spent budgets: a refusal where `is_enforced`, else the view with what enforcing
    would have done. Times and charges are filled in here.
    """

    keys: tuple[str, ...]
    risk: Risk
    bindings: tuple[Binding, ...]
    ref: str
    entry: NewEntry
    suspended: NewEntry
    exceeded: Callable[[tuple[str, ...]], NewEntry]
    is_enforced: bool = True


@dataclass(frozen=True, slots=True)
class Admitted:
    """The view may be shown. `over` names budgets that a mode without refusals let pass."""

    receipt: Receipt
    charges: tuple[Charge, ...]
    statuses: tuple[BudgetStatus, ...]
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Budgets are spent; nothing was charged."""

    receipt: Receipt
    exceeded: tuple[str, ...]
    retry_at: Micros
    statuses: tuple[BudgetStatus, ...]


@dataclass(frozen=True, slots=True)
class Suspended:
    """One of the principal's keys is suspended."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Stale:
    """The principal's risk has risen since the decision: decide again. Nothing was written."""

    risk: Risk


Answer: TypeAlias = Admitted | Refused | Suspended | Stale
