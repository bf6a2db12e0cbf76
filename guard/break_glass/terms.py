"""The words of break-glass, the services that it goes by, and how a grant is found and recorded."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from guard.alerts import Alerts
from guard.clock import Clock
from guard.entries import BodyValue, EntryKind, EventPart, NewEntry, Receipt, SubjectPart
from guard.errors import AccessDeniedError, NotFoundError
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import GrantKind, GrantRow
from guard.vault.pseudonyms import Pseudonyms
from policies.model import Role

MAX_MINUTES = 60
# Long enough that somebody has to say something.
MIN_TEXT, MAX_TEXT = 20, 2_000
KIND = GrantKind.BREAK_GLASS


class ReasonCode(StrEnum):
    """Why somebody may break the glass; see `docs/grants.md`."""

    THREAT_TO_LIFE = "threat_to_life"
    FRAUD_IN_PROGRESS = "fraud_in_progress"
    CUSTOMER_VULNERABLE = "customer_vulnerable"
    REGULATOR_DEADLINE = "regulator_deadline"
    SYSTEM_OUTAGE = "system_outage"


class ReviewOutcome(StrEnum):
    """What a review found."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class GlassState(StrEnum):
    """Which grants a list shows."""

    OPEN = "open"
    UNREVIEWED = "unreviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassPut:
    """What somebody asks for."""

    customer: str
    reason_code: ReasonCode
    text: str
    minutes: int
    case: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """A grant as its readers see it: others than the agent itself read a pseudonym.

    `text` is what was typed, None where it is not asked for or was erased with the customer.
    """

    row: GrantRow
    agent: str
    is_overdue: bool
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all of it goes by."""

    committer: Committer
    readers: Readers
    clock: Clock
    alerts: Alerts
    pseudonyms: Pseudonyms
    vault: DetailVault


def found(view: ReadView, principal: Principal, grant_id: str) -> GrantRow:
    """The grant of that id.

    Raises:
        NotFoundError: There is none.
    """
    row = view.grant(principal.tenant, grant_id)
    if row is None or row.kind is not KIND:
        raise no_such()
    return row


def no_such() -> NotFoundError:
    """The error for a grant that is not there, and for one that the caller may not know of."""
    return NotFoundError("no such break-glass")


def require(principal: Principal, roles: frozenset[Role], what: str) -> None:
    """Refuse whose role, or whose being an AI agent, keeps them from it.

    Raises:
        AccessDeniedError: It does.
    """
    if principal.role not in roles or principal.actor is not None:
        raise AccessDeniedError(f"your role may not {what}: ask a lead, manager or analyst")


def record(
    tx: Transaction,
    event: EventPart,
    row: GrantRow,
    state: str,
    said: tuple[str | None, str] = (None, ""),
) -> Receipt:
    """Write that a grant came to `state`; `said`: the case named and the words typed."""
    body: dict[str, BodyValue] = {
        "grant": row.id,
        "kind": row.kind.value,
        "state": state,
        "agent": row.agent_id,
        "reason_code": row.reason_code,
        "until": row.ends_at,
        "outcome": row.outcome or "",
    }
    part = SubjectPart(customer=row.ref, case=said[0] or "", reason=said[1])
    event = msgspec.structs.replace(event, body=body)
    return tx.record(NewEntry(kind=EntryKind.GRANT, event=event, subjects=(part,)))
