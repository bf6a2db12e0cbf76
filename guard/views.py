"""What is asked of the broker and what it answers: plain values at the one door."""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros
from guard.entries import Receipt
from guard.masking.record import MaskedRecord
from guard.quotas import BudgetStatus
from policies.model import Form, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRequest:
    """One look at one customer. `fields` None: all that the policy shows for the purpose."""

    customer: str
    purpose: str
    case: str | None = None
    fields: tuple[str, ...] | None = None
    reason: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNote:
    """Why one field looks as it does: its path, class, form, and a sentence."""

    path: str
    cls: str
    form: Form
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A view: the masked record with everything the agent may know about it.

    `would` is empty where the decision was carried out, else what enforcing would have done.
    `view_code` is short enough to stand on the screen; it leads from a photograph to the entry.
    """

    record: MaskedRecord
    fields: tuple[FieldNote, ...]
    mode: Mode
    would: str
    budgets: tuple[BudgetStatus, ...]
    receipt: Receipt
    view_code: str


class RefusalCode(StrEnum):
    """Why nothing is shown, for the tool; the sentences are in `Refused.reasons`."""

    POLICY = "policy"
    QUOTA = "quota"
    SUSPENDED = "suspended"
    UNKNOWN_CUSTOMER = "unknown_customer"
    EXPLAINED_ONLY = "explained_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal, which is an entry too. `retry_at` is domain time, where waiting helps."""

    code: RefusalCode
    reasons: tuple[str, ...]
    determined_by: tuple[str, ...]
    receipt: Receipt
    budgets: tuple[BudgetStatus, ...] = ()
    exceeded: tuple[str, ...] = ()
    retry_at: Micros | None = None


Answer = Served | Refused
