"""Who asks: one immutable value made by `api.identity` from a checked credential.

Tenant, region, vendor, site, team and reporting line travel with every principal into every entry,
budget key and row. For an AI agent `id` is the human it acts for and `actor` the agent itself; both
are charged and logged.
"""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros
from policies.model import ActorKind, Desk, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A working day in the agent's own time zone: local minutes after midnight, end exclusive.

    `end` may be less than `start`: a night shift. `days` holds ISO weekdays, Monday is 1; a night
    shift belongs to the day on which it starts.
    """

    tz: str
    start: int
    end: int
    days: frozenset[int]


class LogScope(StrEnum):
    """How much of the log somebody who may read it is answered from: of one's own place."""

    TENANT = "tenant"
    REGION = "region"
    VENDOR = "vendor"
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller, with the place it has in the organisation.

    `line` lists the ids of its managers from the direct one upwards. `scopes` are what the
    credential allows (`views:write`, `alerts:read`...), `client` the tool it came through,
    `session` an opaque id of the credential, `mfa_at` when a second factor was last shown.
    """

    id: str
    tenant: str
    region: str
    vendor: str
    site: str
    team: str
    line: tuple[str, ...]
    role: Role
    kind: ActorKind
    actor: str | None
    client: str
    session: str
    scopes: frozenset[str]
    shift: Shift | None
    mfa_at: Micros | None
    desk: Desk = Desk.FRONT_LINE
    log_scope: LogScope = LogScope.TENANT

    @property
    def agent_key(self) -> str:
        """Budget and suspension key of the human or service."""
        return f"agent:{self.tenant}/{self.id}"

    @property
    def actor_key(self) -> str | None:
        """Budget and suspension key of the AI agent that acts for the human, if one does."""
        return None if self.actor is None else f"actor:{self.tenant}/{self.actor}"

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that an admission of this principal locks, in key order."""
        actor = self.actor_key
        return (self.agent_key,) if actor is None else tuple(sorted((self.agent_key, actor)))
