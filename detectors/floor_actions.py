"""What people on the simulated floor do: planned actions, in time order, with the truth beside."""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros
from guard.events import AccessAction
from policies.model import Link, Purpose

HONEST = "honest"


class Habit(StrEnum):
    """What an insider does beside the honest work."""

    PHOTOGRAPHER = "photographer"
    SLOW = "slow"
    RING = "ring"
    SELF_OPENED = "self_opened"
    STALE = "stale"
    OFF_SHIFT = "off_shift"
    WALKER = "walker"
    VIP = "vip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Insider:
    """Agents with one habit, from a day on (and until a day, exclusive).

    `per_day` is how many extra customers each looks at; for a photographer, per hour. 0: the
    habit's own usual number.
    """

    habit: Habit
    agents: tuple[str, ...]
    from_day: int = 0
    until_day: int | None = None
    per_day: int = 0

    def is_active(self, day: int) -> bool:
        """Whether the habit shows on this day."""
        return self.from_day <= day and (self.until_day is None or day < self.until_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A customer made contact, or (`opened_by`) an agent opened a case."""

    at: Micros
    case_id: str
    customer: int
    channel: str
    opened_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A case went to an agent beside whoever has it (`how`: inbound, escalation, qa, self)."""

    at: Micros
    case_id: str
    customer: int
    agent_id: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """A case left one agent for another."""

    at: Micros
    case_id: str
    customer: int
    from_agent: str
    to_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """A case was closed."""

    at: Micros
    case_id: str
    customer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Somebody looks at a customer. `link` is what really explains it, `truth` honest or habit."""

    at: Micros
    agent_id: str
    customer: int
    case_id: str | None
    purpose: Purpose
    link: Link
    truth: str = HONEST
    device: str = ""
    action: AccessAction = AccessAction.VIEW


Action = CaseOpened | Assigned | Transferred | CaseClosed | View

# At one instant a case is opened before it is given to somebody, and seen before it is closed.
_RANK = {CaseOpened: 0, Assigned: 1, Transferred: 1, View: 2, CaseClosed: 3}


def in_order(actions: list[Action]) -> list[Action]:
    """Sort by time, and at one instant so that each action finds what it needs."""
    return sorted(actions, key=lambda a: (a.at, _RANK[type(a)], a.customer))
