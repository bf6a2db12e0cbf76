"""A seeded simulated support floor, honest or breached.

One source for scenario tests, benchmarks, the demo's traffic and foreign-log files. A `Floor` is a
pure function of its arguments: `day(n)` gives the same plan whenever it is asked, and adding
insiders leaves every honest action as it was. Times are whole microseconds from `start`, which
should be a midnight in UTC; no action crosses a day's end.

Customers are numbers here; `crm_rows` makes up their records.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors import floor_work
from detectors.floor_actions import (
    Action,
    Assigned,
    CaseClosed,
    CaseOpened,
    Habit,
    Insider,
    Transferred,
    View,
    in_order,
)
from detectors.floor_insiders import USUAL, Chance, plan
from detectors.floor_records import crm_rows
from detectors.floor_work import DayPlan, Trait
from guard.clock import DAY, HOUR, Micros
from guard.events import (
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    FloorEvent,
    History,
)

__all__ = ["Customer", "Floor", "Habit", "Insider", "crm_rows", "customer_key"]

TEAM_SIZE = 12
# Zones without summer time, with shifts that end before midnight UTC: (zone, minutes ahead, starts)
_SITES: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("Asia/Kolkata", 330, (2 * 60, 6 * 60)),
    ("Africa/Lagos", 60, (7 * 60, 11 * 60)),
    ("America/Bogota", -300, (12 * 60, 15 * 60)),
)
_TRAITS, _INSIDERS, _TIERS = 2**31, 2**31 + 1, 2**31 + 2
VIP_SHARE = 0.015
SLIPS_MEAN, SLIPS_SHAPE = 0.02, 4.0
WEEK = 7


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the floor: a number and a tier."""

    id: int
    tier: str


def customer_key(customer: int) -> str:
    """A customer's number as the systems of the floor write it."""
    return f"cust-{customer:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The people and customers of a floor, and what they do on each day."""

    seed: int
    start: Micros
    agents: tuple[AgentProfile, ...]
    customers: tuple[Customer, ...]
    traits: Mapping[str, Trait]
    insiders: tuple[Insider, ...] = ()

    @classmethod
    def build(
        cls,
        seed: int,
        start: Micros,
        *,
        customers: int = 5000,
        agents: int = 120,
        vendors: int = 3,
    ) -> "Floor":
        """Staff a floor: teams of twelve with a lead, an outreach team, reviewers, an AI agent."""
        rng = np.random.default_rng([seed, _TRAITS])
        people = tuple(_staff(agents, vendors, start))
        dice = np.random.default_rng([seed, _TIERS]).random(customers)
        return cls(
            seed=seed,
            start=start,
            agents=people,
            customers=tuple(
                Customer(i + 1, "vip" if dice[i] < VIP_SHARE else "standard")
                for i in range(customers)
            ),
            traits={p.agent_id: _trait(rng) for p in people},
        )

    def with_insiders(self, *insiders: Insider) -> "Floor":
        """The same floor, with the same honest work, and these insiders."""
        return replace(self, insiders=insiders)

    def truth(self) -> dict[str, Habit]:
        """Who has which habit."""
        return {agent: i.habit for i in self.insiders for agent in i.agents}

    def members(self, lead: str) -> list[str]:
        """The agents under a lead."""
        return [p.agent_id for p in self.agents if p.manager_id == lead]

    def front_line(self) -> list[str]:
        """Agents who take contacts from the queue."""
        return [p.agent_id for p in self.agents if p.role == "agent" and p.team.startswith("team")]

    def day(self, n: int) -> list[Action]:
        """All planned actions of day `n`, in time order."""
        midnight = self.start + n * DAY
        rng = np.random.default_rng([self.seed, n])
        shifts = {}
        for profile in self.agents:
            shift = floor_work.shift_of(profile, _utc_start(profile), midnight, rng)
            if n % WEEK not in self.traits[profile.agent_id].free or profile.kind == "ai":
                shifts[profile.agent_id] = shift
        today = DayPlan(
            day=n,
            midnight=midnight,
            customers=len(self.customers),
            rng=rng,
            shifts=shifts,
            people={p.agent_id: p for p in self.agents},
            outage=floor_work.outage_of(self.agents, midnight, rng),
            is_incident=rng.random() < floor_work.INCIDENT_DAYS,
            fronts=[a for a in self.front_line() if a in shifts],
        )
        for profile in self.agents:
            if rng.random() < floor_work.HOT_DESK_DAYS:
                today.devices[profile.agent_id] = f"hot-{int(rng.integers(0, 10))}"
        # Reviewers last: they review what the others closed.
        for profile in sorted(self.agents, key=lambda p: p.team == "quality"):
            if profile.agent_id in shifts:
                _work_of(profile)(today, profile.agent_id, self.traits[profile.agent_id])
        return in_order([*today.actions, *self._insider_actions(n, today)])

    def events(self, n: int, *, position: int = 0) -> list[FloorEvent]:
        """Day `n` as the detectors see it; positions count up from `position`."""
        tiers = {c.id: c.tier for c in self.customers if c.tier != "standard"}
        out: list[FloorEvent] = []
        for action in self.day(n):
            out += _as_events(action, position + len(out), tiers)
        return out

    def history(self, days: range) -> History:
        """These days in one stretch, with profiles."""
        events: list[FloorEvent] = []
        for n in days:
            events += self.events(n, position=len(events))
        return History(events=tuple(events), profiles=self.agents)

    def _insider_actions(self, n: int, today: DayPlan) -> list[Action]:
        out: list[Action] = []
        closed = [a for a in today.actions if isinstance(a, CaseClosed)]
        for i, insider in enumerate(self.insiders):
            for j, agent_id in enumerate(insider.agents):
                if not insider.is_active(n) or agent_id not in today.shifts:
                    continue
                own = {
                    a.customer
                    for a in today.actions
                    if isinstance(a, View) and a.agent_id == agent_id
                }
                chance = Chance(
                    agent_id=agent_id,
                    device=today.devices.get(agent_id, f"desk-{agent_id}"),
                    shift=today.shifts[agent_id],
                    midnight=today.midnight,
                    day=n,
                    queue=[a.customer for a in closed if a.customer not in own] or [1],
                    protected=[c.id for c in self.customers if c.tier != "standard"] or [1],
                    customers=len(self.customers),
                    count=insider.per_day or USUAL[insider.habit],
                    rng=np.random.default_rng([self.seed, _INSIDERS, n, i, j]),
                )
                out += plan(insider.habit, chance)
        return out


def _staff(agents: int, vendors: int, start: Micros) -> list[AgentProfile]:
    teams = max(1, round(agents / TEAM_SIZE))
    outreach, quality = max(1, agents // 15), max(1, agents // 30)
    ai = _person("ai00", 0, vendors, ("agent", "assistant"), start)
    people = [
        _person(f"lead{t:02d}", t, vendors, ("lead", f"team{t:02d}"), start) for t in range(teams)
    ]
    others = {"quality": ("qa", quality), "outreach": ("out", outreach)}
    people += [
        _person(f"{name}{i:02d}", i if team == "quality" else 0, vendors, ("agent", team), start)
        for team, (name, count) in others.items()
        for i in range(count)
    ]
    people.append(replace(ai, kind="ai", shift_start=None, manager_id=None))
    rest = range(max(0, agents - len(people)))
    teams_of = {a: a % teams for a in rest}
    return people + [
        _person(f"a{a:03d}", t, vendors, ("agent", f"team{t:02d}"), start)
        for a, t in teams_of.items()
    ]


def _person(
    agent_id: str, t: int, vendors: int, place: tuple[str, str], start: Micros
) -> AgentProfile:
    role, team = place
    vendor = t % vendors
    zone, ahead, starts = _SITES[vendor % len(_SITES)]
    utc = starts[(t // vendors) % len(starts)]
    return AgentProfile(
        agent_id=agent_id,
        team=team,
        role=role,
        vendor=f"vendor{vendor}",
        site=zone.split("/")[1].lower(),
        tz=zone,
        shift_start=(utc + ahead) % (24 * 60),
        manager_id=None if role == "lead" else f"lead{t:02d}",
        hired_on=start - (200 + 13 * t) * DAY,
    )


def _utc_start(profile: AgentProfile) -> int:
    ahead = {zone: minutes for zone, minutes, _ in _SITES}[profile.tz]
    return ((profile.shift_start or 0) - ahead) % (24 * 60)


def _trait(rng: np.random.Generator) -> Trait:
    first = int(rng.integers(0, WEEK))
    return Trait(
        pace=float(rng.lognormal(0, 0.12)),
        slips=float(rng.gamma(SLIPS_SHAPE, SLIPS_MEAN / SLIPS_SHAPE)),
        free=(first, (first + 1) % WEEK),
    )


def _work_of(profile: AgentProfile) -> Callable[[DayPlan, str, Trait], None]:
    if profile.kind == "ai":
        return floor_work.chat
    if profile.role == "lead":
        return _lead
    by_team = {"outreach": floor_work.work_list, "quality": floor_work.review}
    return by_team.get(profile.team, floor_work.work_queue)


def _lead(today: DayPlan, agent_id: str, trait: Trait) -> None:
    """Leads take what is escalated to them, and slip like others."""
    begin, end = today.shifts[agent_id]
    if today.rng.random() < trait.slips * 10:
        at = float(today.rng.uniform(begin, end - HOUR))
        floor_work.slip(today, agent_id, at)


def _as_events(action: Action, position: int, tiers: Mapping[int, str]) -> Sequence[FloorEvent]:
    customer = customer_key(action.customer)
    match action:
        case View():
            return (
                AccessEvent(
                    position=position,
                    ts=action.at,
                    agent_id=action.agent_id,
                    customer_id=customer,
                    action=action.action,
                    case_id=action.case_id,
                    purpose=action.purpose,
                    link=action.link,
                    n_fields=8,
                    n_sensitive=2,
                    device=action.device,
                    tier=tiers.get(action.customer, "standard"),
                ),
            )
        case CaseOpened():
            return (_case(action, position, action.channel, action.opened_by),)
        case CaseClosed():
            return (_case(action, position, "", None),)
        case Assigned():
            return (_assignment(action, position, action.agent_id, action.how),)
        case Transferred():
            return (
                _assignment(action, position, action.from_agent, ""),
                _assignment(action, position + 1, action.to_agent, "transfer"),
            )


def _case(
    action: CaseOpened | CaseClosed, position: int, channel: str, opened_by: str | None
) -> CaseEvent:
    return CaseEvent(
        position=position,
        ts=action.at,
        case_id=action.case_id,
        customer_id=customer_key(action.customer),
        opened_by=opened_by,
        channel=channel,
        is_open=isinstance(action, CaseOpened),
    )


def _assignment(
    action: Assigned | Transferred, position: int, agent_id: str, how: str
) -> AssignmentEvent:
    return AssignmentEvent(
        position=position,
        ts=action.at,
        case_id=action.case_id,
        customer_id=customer_key(action.customer),
        agent_id=agent_id,
        how=how or "transfer",
        is_start=bool(how),
    )
