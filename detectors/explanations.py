"""What explains a view, and how well.

A link between agent and customer is evidence with a strength from 0 to 1, not a yes or no. Three
rules hold:

* the link that the broker or the foreign log recorded counts, unless it is `none` or `pending`:
  then the `CaseBook`, built from the floor's own case and assignment events, is asked;
* a case that the viewing agent opened is an alibi at best, whatever it is called;
* the book only knows what was recorded before the view. A case that comes later may retract
  evidence (`LATE_LINK`), but never one that the agent opened. Where the broker has said which views
  it repaired, that is followed view by view; only a floor that says nothing (a foreign log, an
  older ledger) lets the assignment itself retract what the agent saw of the customer that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from guard.clock import DAY, HOUR, Micros
from guard.events import AccessEvent, AssignmentEvent, CaseEvent, LateLinkEvent
from policies.model import Link

# How far back a late link reaches: links out of other systems arrive within a day or not at all.
LATE_LINK: Micros = 24 * HOUR
# Wrapping up after the customer has hung up is part of the case.
WRAP_UP: Micros = 2 * HOUR
# An ended hold is an old reason for this long, and then none. Who opened a closed case matters
# for as long as late links may come.
FORGOTTEN: Micros = 10 * DAY
CASE_FORGOTTEN: Micros = 2 * DAY

# A view at or above this strength is explained.
EXPLAINED = 0.5

# Below it there is no link at all. A pending one is none until it arrives, and then takes its
# evidence back; stale and self-opened ones have channels of their own.
UNLINKED = 0.1

STRENGTH: Mapping[Link, float] = {
    Link.OWNER: 1.0,
    Link.ESCALATION: 0.95,
    Link.TRANSFER: 0.9,
    Link.QA: 0.9,
    Link.CAMPAIGN: 0.85,
    Link.QUEUE: 0.85,
    Link.TAKEN: 0.7,
    Link.CLAIMED: 0.6,
    Link.BREAK_GLASS: 0.3,
    Link.RELATED: 0.5,
    Link.WAITING: 0.5,
    Link.PENDING: 0.05,
    Link.STALE: 0.2,
    Link.SELF_OPENED: 0.15,
    Link.NONE: 0.0,
}

REASON: Mapping[Link, str] = {
    Link.OWNER: "the agent held an open case of this customer",
    Link.ESCALATION: "the case was escalated to the agent",
    Link.TRANSFER: "the case was transferred to the agent",
    Link.QA: "the case was assigned to the agent for quality review",
    Link.CAMPAIGN: "the customer is on an approved work list of the agent's team",
    Link.QUEUE: "the case came to the agent from a queue",
    Link.BREAK_GLASS: "the agent broke the glass and said why",
    Link.RELATED: "the customer is related to one whose case the agent held",
    Link.TAKEN: "the agent took a case that somebody else had opened",
    Link.CLAIMED: "a ticket names the customer by an address that anybody can write",
    Link.WAITING: "the customer has an open case of somebody else's",
    Link.PENDING: "no system knows a case behind the view yet",
    Link.STALE: "the agent's case of this customer was closed before",
    Link.SELF_OPENED: "the agent opened the case",
    Link.NONE: "nothing links agent and customer",
}

_BY_HOW: Mapping[str, Link] = {
    "inbound": Link.OWNER,
    "transfer": Link.TRANSFER,
    "escalation": Link.ESCALATION,
    "consult": Link.TRANSFER,
    "qa": Link.QA,
    "queue": Link.QUEUE,
    "self": Link.SELF_OPENED,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What explains one view: the link, and who opened the case behind it, where known."""

    link: Link
    opened_by: str | None = None

    @property
    def strength(self) -> float:
        """From 0 (nothing) to 1 (the agent's own inbound case)."""
        return STRENGTH[self.link]

    @property
    def is_explained(self) -> bool:
        """Whether the view needs no further reason."""
        return STRENGTH[self.link] >= EXPLAINED

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return REASON[self.link]


class CaseNote(msgspec.Struct):
    """What the book keeps of one case."""

    customer: str
    opened_by: str | None
    closed_at: Micros | None = None


class Hold(msgspec.Struct):
    """An agent's hold on a customer through a case; `until` is None while it lasts."""

    case_id: str
    how: str
    until: Micros | None = None


class CaseBook(msgspec.Struct):
    """Cases and assignments as they were recorded so far; forgets what cannot explain any more."""

    cases: dict[str, CaseNote] = {}
    holds: dict[str, dict[str, Hold]] = {}

    def on_case(self, event: CaseEvent) -> None:
        """Note a case that was opened, reopened or closed; closing ends every hold on it."""
        note = self.cases.get(event.case_id)
        if event.is_open:
            opener = event.opened_by if note is None else note.opened_by
            self.cases[event.case_id] = CaseNote(event.customer_id, opener)
            return
        if note is None:
            note = self.cases[event.case_id] = CaseNote(event.customer_id, event.opened_by)
        note.closed_at = event.ts
        for hold in self.holds.get(event.customer_id, {}).values():
            # What is reviewed is closed: a review ends by itself.
            if hold.case_id == event.case_id and hold.until is None and hold.how != "qa":
                hold.until = event.ts

    def on_assignment(self, event: AssignmentEvent) -> None:
        """Note that a case went to an agent or left it."""
        of_customer = self.holds.setdefault(event.customer_id, {})
        if event.is_start:
            of_customer[event.agent_id] = Hold(event.case_id, event.how, event.until)
            return
        hold = of_customer.get(event.agent_id)
        if hold is not None and hold.case_id == event.case_id and hold.until is None:
            hold.until = event.ts

    def opened_by(self, case_id: str | None) -> str | None:
        """Who opened a case; None for a system, an unknown case or none at all."""
        note = self.cases.get(case_id) if case_id is not None else None
        return None if note is None else note.opened_by

    def explain(self, event: AccessEvent) -> Explanation:
        """Grade one view by the recorded link and, where that says nothing, by the book."""
        link, case_id = event.link, event.case_id
        if link is Link.NONE or link is Link.PENDING:
            hold = self.holds.get(event.customer_id, {}).get(event.agent_id)
            if hold is not None:
                case_id = hold.case_id
                over = hold.until is not None and hold.until + WRAP_UP < event.ts
                link = Link.STALE if over else _BY_HOW.get(hold.how, Link.OWNER)
        opener = self.opened_by(case_id)
        if opener == event.agent_id and STRENGTH[link] > STRENGTH[Link.SELF_OPENED]:
            link = Link.SELF_OPENED
        return Explanation(link, opener)

    def may_retract(self, event: AssignmentEvent) -> bool:
        """Whether this assignment is a link that may explain an earlier view of the agent."""
        if event.late_links is not None or not event.is_start or event.how == "self":
            return False
        return self.opened_by(event.case_id) != event.agent_id

    def may_repair(self, event: LateLinkEvent) -> bool:
        """Whether a late link explains the view that it names."""
        openers = (event.opened_by, self.opened_by(event.case_id))
        return event.agent_id not in openers and STRENGTH[event.link] >= EXPLAINED

    def forget(self, now: Micros) -> None:
        """Drop cases and holds that ended too long ago to matter."""
        edge = now - FORGOTTEN
        old = now - CASE_FORGOTTEN
        self.cases = {
            k: c for k, c in self.cases.items() if c.closed_at is None or c.closed_at > old
        }
        for customer, agents in list(self.holds.items()):
            kept = {a: h for a, h in agents.items() if h.until is None or h.until > edge}
            if kept:
                self.holds[customer] = kept
            else:
                del self.holds[customer]
