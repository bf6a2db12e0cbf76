"""The demo company's ticket system: keeps every case whole, and says what changed.

The API takes a case as a whole (`PUT /v1/cases`), the floor tells what happened to it one event
after another; here the events become the whole.
"""

from dataclasses import dataclass, field

from detectors.floor_actions import Action, Assigned, CaseClosed, CaseOpened, Transferred
from guard.clock import Micros, to_rfc3339

HOWS = frozenset({"inbound", "transfer", "escalation", "qa", "self"})


@dataclass(slots=True)
class _Assignment:
    how: str
    from_at: Micros
    to_at: Micros | None = None


@dataclass(slots=True)
class _Case:
    customer: int
    opened_at: Micros
    channel: str = "phone"
    opened_by: str | None = None
    closed_at: Micros | None = None
    assignments: dict[str, _Assignment] = field(default_factory=dict)


class CaseBook:
    """All cases of the day, by id."""

    def __init__(self, refs: dict[int, str]) -> None:
        """Name customers by `refs`."""
        self._refs = refs
        self._cases: dict[str, _Case] = {}

    def note(self, action: Action, now: Micros) -> str:
        """Take one event in, which is told at `now`; the id of the case that it changed.

        What begins did so when it was planned, or now where that is earlier; what ends does so
        now, since whoever worked on it has only just finished.
        """
        match action:
            case CaseOpened():
                self._cases[action.case_id] = _Case(
                    customer=action.customer,
                    opened_at=min(action.at, now),
                    channel=action.channel,
                    opened_by=action.opened_by,
                )
            case Assigned():
                how = action.how if action.how in HOWS else "inbound"
                given = _Assignment(how, min(action.at, now))
                self._case(action).assignments.setdefault(action.agent_id, given)
            case Transferred():
                case = self._case(action)
                if action.from_agent in case.assignments:
                    case.assignments[action.from_agent].to_at = now
                case.assignments[action.to_agent] = _Assignment("transfer", now)
            case CaseClosed():
                self._case(action).closed_at = now
            case _:
                raise TypeError("a view changes no case")
        return action.case_id

    def body(self, case_id: str) -> dict[str, object]:
        """The case as the API takes it."""
        case = self._cases[case_id]
        return {
            "id": case_id,
            "customer": self._refs[case.customer],
            "channel": case.channel,
            "opened_at": to_rfc3339(case.opened_at),
            "opened_by": case.opened_by,
            "closed_at": None if case.closed_at is None else to_rfc3339(case.closed_at),
            "assignments": [
                {
                    "agent": agent,
                    "how": given.how,
                    "from": to_rfc3339(given.from_at),
                    "to": None if given.to_at is None else to_rfc3339(given.to_at),
                }
                for agent, given in case.assignments.items()
            ],
        }

    def _case(self, action: Assigned | Transferred | CaseClosed) -> _Case:
        return self._cases.setdefault(action.case_id, _Case(action.customer, action.at))
