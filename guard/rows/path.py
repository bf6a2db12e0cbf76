"""What the one path reads in its one read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guard.clock import Micros
from guard.rows.people import SubjectRow
from guard.rows.purposes import AssignmentRow, CaseRow, GrantRow, KnownCase, WorkListRow
from policies.model import Mode, Risk, Tie, Window


class RawRecord:
    """A customer's record as its source gave it; it never prints, and never serialises.

    `values` may be nested mappings, lists and scalars. Only `guard.masking` reads it.
    """

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        """Wrap `values`."""
        self.values = values

    def __repr__(self) -> str:
        """Show nothing of the record."""
        return "RawRecord(…)"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied into a queue."""
        raise TypeError("a raw record does not leave the process")


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationQuery:
    """What the broker wants to know before it decides. `is_row`: about a row of a queue."""

    tenant: str
    agent_id: str
    actor_id: str | None
    keys: tuple[str, ...]
    vendor: str
    team: str
    purpose: str
    ref: str
    case_id: str | None
    at: Micros
    is_row: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the store knows: the subject, the case with all its assignments, lists, risk, mode.

    `subject` is None for a reference that does not exist in the caller's tenant. `own_open_cases`
    are the customer's open cases with a live assignment of this agent (any case, not only the named
    one) that somebody else opened and that came to the agent. `is_suspended` is true when any of
    the principal's keys is suspended at `at`. `mode_elsewhere` is the mode of the same people for a
    purpose that no rule names. `related_cases` are such cases of customers of the same household or
    business. `grants` are those of this agent for this customer that are in force. `own_cases` are
    all cases of the customer that the agent, or the AI agent that acts for it, works or worked on.
    `unlinked_since` is when the agent first opened the customer in the last day with nothing to
    explain it. `routed_at` is when work of any customer last came to the agent in the last day.
    `related_cases`, `unlinked_since` and `routed_at` are looked up for support without an own open
    case only. `has_open_case` says, for a row of a queue, that the customer has an open case which
    none of these people opened, whoever works on it.
    """

    subject: SubjectRow | None
    case: CaseRow | None
    assignments: tuple[AssignmentRow, ...]
    own_open_cases: tuple[str, ...]
    work_list: WorkListRow | None
    risk: Risk
    is_suspended: bool
    mode: Mode
    mode_elsewhere: Mode = Mode.ENFORCE
    related_cases: tuple[str, ...] = ()
    tie: Tie = Tie.NONE
    grants: tuple[GrantRow, ...] = ()
    own_cases: tuple[KnownCase, ...] = ()
    unlinked_since: Micros | None = None
    routed_at: Micros | None = None
    has_open_case: bool = False


@dataclass(slots=True, kw_only=True)
class Counter:
    """How much of (key, measure, window) is used.

    `edge` is the start of the hour for a fixed window; for a rolling one, the instant up to which
    expired charges have been subtracted.
    """

    key: str
    measure: str
    window: Window
    used: int
    edge: Micros


@dataclass(slots=True, kw_only=True)
class BudgetState:
    """The locked budget rows of one batch of admissions, to be changed in memory and saved.

    `marks`: (key, ref) -> last charged. `expired`: (key, window) -> last-charged times of marks
    that left a rolling window since the counter's edge. `slots`: (key, slot start) -> acts in that
    slot of the rolling window (`guard.quotas.SLOT` wide): those still open to change, and those
    that left the window since the counter's edge. `oldest`: (key, measure) -> the oldest charge
    still inside the rolling window (for acts, the start of its slot).
    """

    counters: dict[tuple[str, str, Window], Counter]
    marks: dict[tuple[str, str], Micros]
    expired: dict[tuple[str, Window], list[Micros]]
    slots: dict[tuple[str, Micros], int]
    oldest: dict[tuple[str, str], Micros] = field(default_factory=dict)
