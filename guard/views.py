"""What is asked of the broker and what it answers: plain values at the one door."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

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
class RevealRequest:
    """Single fields of an earlier view, named by the id of its entry, and why."""

    view: str
    fields: tuple[str, ...]
    reason: str
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """A queue of customers that the caller holds references of."""

    customers: tuple[str, ...]
    purpose: str
    fields: tuple[str, ...] | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """An exact identifier, to be found as a reference. It never prints its value."""

    kind: str
    value: str
    purpose: str
    reason: str | None = None
    device: str | None = None

    def __repr__(self) -> str:
        """Show everything but the value."""
        return f"SearchRequest(kind={self.kind!r}, value=…, purpose={self.purpose!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What a caller says of one field, to be answered by yes or no. It never prints the claim."""

    customer: str
    field: str
    part: str
    claim: str
    purpose: str
    case: str | None = None
    device: str | None = None

    def __repr__(self) -> str:
        """Show everything but the claim."""
        return f"VerifyRequest(customer={self.customer!r}, field={self.field!r}, claim=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequest:
    """A call, mail or message to a customer; `cc` names further customers by reference."""

    customer: str
    channel: str
    purpose: str
    case: str | None = None
    subject: str = ""
    text: str = ""
    cc: tuple[str, ...] = ()
    device: str | None = None


class NextStep(StrEnum):
    """What somebody can do about a refusal or a masked field. Tokens for tools, never renamed."""

    ASK_LIFT = "ask_for_a_lift"
    ASK_SECOND_LINE = "ask_the_second_line"
    BREAK_GLASS = "break_the_glass"
    CHECK_FIELD = "check_the_field"
    CHECK_PURPOSE = "check_the_purpose"
    CHECK_REFERENCE = "check_the_reference"
    CONTACT = "contact_without_seeing"
    CUSTOMER_CODE = "ask_the_customer_for_a_code"
    EXTEND_LIST = "ask_for_the_list_to_be_extended"
    GIVE_REASON = "give_a_reason"
    HAND_OVER = "hand_the_case_over"
    NAME_CASE = "name_the_case"
    OTHER_CHANNEL = "use_another_channel"
    REVEAL = "reveal_with_reason"
    SEE_NOTICES = "see_your_notices"
    STEP_UP = "confirm_a_second_factor"
    VERIFY = "verify_instead"
    VIEW = "view_the_record"
    VIEW_AGAIN = "view_again"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNote:
    """Why one field looks as it does: its path, class, form, a sentence, and how to get more.

    `synthetic`: what it shows is made up, for a tool that must not take it for the customer's.
    `verify` lists the parts that may be checked instead of shown, `contact` the channel of which it
    is the address; whether the caller may is in `next`.
    """

    path: str
    cls: str
    form: Form
    why: str
    next: tuple[NextStep, ...] = ()
    synthetic: bool = False
    verify: tuple[str, ...] = ()
    contact: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """The values of single fields, to be taken off the screen at `expires_at`.

    `refused` holds the fields that stay covered, with why and what to do instead.
    """

    shown: Served
    refused: tuple[FieldNote, ...]
    expires_at: Micros
    expires_in_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search says: one reference or none. `narrow`: several fit, ask for more."""

    customer: str | None
    narrow: bool
    would: str
    budgets: tuple[BudgetStatus, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Whether what was said is what the record holds."""

    matches: bool
    would: str
    budgets: tuple[BudgetStatus, ...]
    receipt: Receipt


class DeliveryState(StrEnum):
    """How a contact ended. `unknown`: it may have arrived; do not repeat it blindly."""

    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted:
    """A contact that was admitted: how it ended, the channel's own id of it, two receipts.

    Without `delivery` the outcome could not be written down: readers of the log take it as unknown.
    """

    customer: str
    state: DeliveryState
    channel_id: str
    would: str
    budgets: tuple[BudgetStatus, ...]
    receipt: Receipt
    delivery: Receipt | None
    next: tuple[NextStep, ...] = ()
    cc: "tuple[Contacted | Refused | Failed, ...]" = ()


class RefusalCode(StrEnum):
    """Why nothing is shown, for the tool; the sentences are in `Refused.reasons`."""

    POLICY = "policy"
    QUOTA = "quota"
    SUSPENDED = "suspended"
    UNKNOWN_CUSTOMER = "unknown_customer"
    EXPLAINED_ONLY = "explained_only"
    UNKNOWN_VIEW = "unknown_view"
    NOT_REVEALED = "not_revealed"
    NOT_VERIFIABLE = "not_verifiable"
    NO_CHANNEL = "no_channel"


# What helps against a refusal of which nothing more is known. A spent budget can be lifted, a
# suspension contested; whatever it is, somebody else can look.
NEXT_STEPS: Mapping[RefusalCode, tuple[NextStep, ...]] = MappingProxyType(
    {
        RefusalCode.POLICY: (NextStep.ASK_SECOND_LINE,),
        RefusalCode.QUOTA: (NextStep.WAIT, NextStep.ASK_LIFT),
        RefusalCode.SUSPENDED: (NextStep.SEE_NOTICES, NextStep.ASK_SECOND_LINE),
        RefusalCode.UNKNOWN_CUSTOMER: (NextStep.CHECK_REFERENCE,),
        RefusalCode.EXPLAINED_ONLY: (NextStep.NAME_CASE, NextStep.ASK_SECOND_LINE),
        RefusalCode.UNKNOWN_VIEW: (NextStep.VIEW_AGAIN,),
        RefusalCode.NOT_REVEALED: (NextStep.ASK_SECOND_LINE,),
        RefusalCode.NOT_VERIFIABLE: (NextStep.CHECK_FIELD,),
        RefusalCode.NO_CHANNEL: (NextStep.OTHER_CHANNEL,),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal, which is an entry too. `retry_at` is domain time, where waiting helps.

    Without `next` of its own a refusal offers what its code is known to offer.
    """

    code: RefusalCode
    reasons: tuple[str, ...]
    determined_by: tuple[str, ...]
    receipt: Receipt
    budgets: tuple[BudgetStatus, ...] = ()
    exceeded: tuple[str, ...] = ()
    retry_at: Micros | None = None
    next: tuple[NextStep, ...] = ()

    @property
    def steps(self) -> tuple[NextStep, ...]:
        """At least one thing to do next."""
        return self.next or NEXT_STEPS[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One of several acts that could not be carried out; its failure is an entry too."""

    error: Exception


Answer = Served | Refused
