"""What detectors see: access events and the floor's other events, from the ledger or a foreign log.

The columns are the public format `docs/formats/access-events.md`. Detectors know nothing else of
the guard than this module, `findings`, `ports` and `clock`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from guard.clock import Micros
from policies.model import Link


class AccessAction(StrEnum):
    """What was done to a record. Grammar of the long name: `record:<action>`.

    `list` is one row of a queue: a glance at a masked record among many.
    """

    VIEW = "view"
    LIST = "list"
    SEARCH = "search"
    REVEAL = "reveal"
    EXPORT = "export"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEvent:
    """One look at one customer. `position` is the ledger index or the row of the foreign file.

    `outcome` is the decision (`permitted`, `refused`, `failed`); `walk` the bucketed distance of
    the source key to the agent's last ones (-1: unknown; see `docs/formats/access-events.md`);
    `dwell_s` is None until known; `is_decoy` marks a record that no honest work can lead to.
    """

    position: int
    ts: Micros
    agent_id: str
    customer_id: str
    action: AccessAction = AccessAction.VIEW
    case_id: str | None = None
    purpose: str | None = None
    link: Link = Link.NONE
    n_fields: int = 0
    n_sensitive: int = 0
    result_count: int = 1
    dwell_s: float | None = None
    device: str | None = None
    session: str | None = None
    outcome: str = "permitted"
    tier: str = "standard"
    walk: tuple[int, int] = (-1, -1)
    on_shift: bool | None = None
    is_decoy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """What is known of an agent beside its events: the `agents` table of the format."""

    agent_id: str
    team: str = ""
    role: str = "agent"
    kind: str = "human"
    vendor: str = ""
    site: str = ""
    tz: str = "UTC"
    shift_start: int | None = None
    manager_id: str | None = None
    hired_on: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """A case was opened, closed or reopened."""

    position: int
    ts: Micros
    case_id: str
    customer_id: str
    opened_by: str | None
    channel: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentEvent:
    """A case went to an agent (`how`: inbound, transfer, escalation, qa...) or left it.

    `until` is the end that was planned from the start, if one was. `late_links` says how many
    earlier views the broker itself found repaired by it, each with a `LateLinkEvent` of its own;
    None: nobody has looked.
    """

    position: int
    ts: Micros
    case_id: str
    customer_id: str
    agent_id: str
    how: str
    is_start: bool
    until: Micros | None = None
    late_links: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateLinkEvent:
    """A view was explained after it was made: `of` is its position, `link` what it is worth now."""

    position: int
    ts: Micros
    agent_id: str
    customer_id: str
    of: int
    link: Link
    case_id: str
    opened_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEvent:
    """An agent appeared, moved or changed."""

    position: int
    ts: Micros
    profile: AgentProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEvent:
    """An alert was labelled, or a response began or ended, or a suspension was set or lifted."""

    position: int
    ts: Micros
    agent_id: str
    by: str
    what: str
    alert_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeEvent:
    """A customer says that what an agent did, at position `of`, had nothing to do with them."""

    position: int
    ts: Micros
    agent_id: str
    customer_id: str
    of: int


FloorEvent = (
    AccessEvent
    | CaseEvent
    | AssignmentEvent
    | LateLinkEvent
    | ProfileEvent
    | ReviewEvent
    | DisputeEvent
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A finished stretch of a floor, sorted by time: what a warm-up or a replay reads."""

    events: tuple[FloorEvent, ...]
    profiles: tuple[AgentProfile, ...] = field(default=())
