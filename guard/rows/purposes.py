"""Rows of what gives a view its purpose."""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros
from policies.model import Purpose, Tie


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case or call of one customer.

    `found_by` is the kind of identifier (`email`, `phone`...) in the ticket by which its customer
    was found, until somebody has checked who writes; None: the customer was named by its own key.
    `as_of` is the time of the newest report of the case, `held_as_of` of the newest that says who
    works on it: what is older changes neither.
    """

    id: str
    tenant: str
    ref: str
    channel: str
    opened_at: Micros
    opened_by: str | None
    closed_at: Micros | None
    found_by: str | None = None
    as_of: Micros = 0
    held_as_of: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """Who works (or worked) on a case.

    `how`: inbound, transfer, escalation, consult, qa, queue, self.
    """

    case_id: str
    tenant: str
    agent_id: str
    how: str
    from_at: Micros
    to_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case with everybody who works or worked on it, oldest assignment first."""

    case: CaseRow
    assignments: tuple[AssignmentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkListRow:
    """A grant for honest bulk work: these customers, this team, this campaign, until its end.

    `fields` are all that the campaign may show (None: what the policy shows), `pace` the most
    customers of the list that one agent may open in an hour (None: its ordinary budgets alone).
    It takes two approvals; the list is in force once `approved_by`, the second, is set. A proposal
    that does not have both at `lapses_at` gets none any more.
    """

    id: str
    tenant: str
    team: str
    campaign: str
    purpose: Purpose
    starts_at: Micros
    ends_at: Micros
    proposed_by: str
    approved_by: str | None
    size: int
    lapses_at: Micros
    first_approved_by: str | None = None
    fields: tuple[str, ...] | None = None
    pace: int | None = None


class GrantKind(StrEnum):
    """What opens a view for a while without a case behind it."""

    BREAK_GLASS = "break_glass"
    CUSTOMER_PRESENT = "customer_present"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """One agent may do more for one customer until `ends_at`.

    `reason_code` is from a closed list; what was typed beside it is in the entry alone, sealed.
    `reviewed_by` and `outcome` are set by the review afterwards.
    """

    id: str
    tenant: str
    kind: GrantKind
    agent_id: str
    ref: str
    reason_code: str
    starts_at: Micros
    ends_at: Micros
    reviewed_by: str | None = None
    reviewed_at: Micros | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceCodeRow:
    """A one-time code that the customer got in their own app; `digest` hides it.

    `tries` counts wrong ones; the code is void once `used_at` is set or too many were wrong.
    """

    id: str
    tenant: str
    ref: str
    digest: bytes
    expires_at: Micros
    tries: int
    used_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRow:
    """Two customers of one `household` or `business`; stored in both directions."""

    tenant: str
    ref: str
    other: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TieRow:
    """Somebody of the directory is, or is close to, a customer."""

    tenant: str
    principal_id: str
    ref: str
    tie: Tie


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDeliveryRow:
    """A delivery that was taken in: the sender's id of it, and the time that it was signed at."""

    tenant: str
    source: str
    id: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkedView:
    """A view that nothing strong explained: its place in the log and how it was graded."""

    index: int
    entry_id: bytes
    agent_id: str
    actor_id: str
    link: str
