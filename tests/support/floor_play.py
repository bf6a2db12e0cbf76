"""Plays a simulated day through the real broker: what a ticket system tells, then the views.

No person names a case: on an ordinary contact nothing is clicked, the broker binds the case by
itself. What comes back is counted beside what the floor knows about each view.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Self

from detectors.floor import Floor
from detectors.floor_actions import (
    HONEST,
    Action,
    Assigned,
    CaseClosed,
    CaseOpened,
    Transferred,
    View,
)
from guard.clock import DAY, HOUR
from guard.events import AgentProfile
from guard.principals import Principal, Shift
from guard.purposes.reports import AssignmentPut, CasePut
from guard.purposes.work_lists import WorkListPut
from guard.views import Refused, Served, ViewRequest
from policies.model import ActorKind, Desk, Link, Purpose, Role
from tests.support.people import approve_list
from tests.support.rig import Rig, make_caller, row_of

SYNC = make_caller("crm-sync", role=Role.SERVICE, kind=ActorKind.SERVICE)
BOT_OWNER = make_caller("chat-owner", role=Role.MANAGER, line=())
# A feed that stood still for so long; what it did not tell by a day's end it never tells.
LATENESS = 2 * HOUR
DESKS = {"outreach": Desk.OUTREACH, "quality": Desk.QUALITY}


@dataclass(slots=True)
class Played:
    """What came of the honest views of a day.

    `strays` are the floor's slips of an AI agent to a customer with whom it has no session: they
    are refused by design, and are no work that was lost.
    """

    served: int = 0
    refused: list[tuple[View, Refused]] = field(default_factory=list)
    strays: list[tuple[View, Refused]] = field(default_factory=list)
    links: Counter[str] = field(default_factory=Counter)

    @property
    def views(self) -> int:
        """How many views were asked for."""
        return self.served + len(self.refused) + len(self.strays)

    def of_refused(self) -> str:
        """How many were refused, and by which rules."""
        rules = Counter(name for _, refused in self.refused for name in refused.determined_by)
        return f"{len(self.refused)} refused {dict(rules)}, {len(self.strays)} strays of AI agents"

    def __iadd__(self, other: "Played") -> Self:
        """Add another day."""
        self.served += other.served
        self.refused += other.refused
        self.strays += other.strays
        self.links += other.links
        return self


def caller_of(profile: AgentProfile) -> Principal:
    """The floor's agent as the broker knows it; an AI agent acts for its owner."""
    if profile.kind == "ai":
        return replace(BOT_OWNER, actor=profile.agent_id, kind=ActorKind.AI)
    start = profile.shift_start
    return make_caller(
        profile.agent_id,
        team=profile.team,
        vendor=profile.vendor,
        site=profile.site,
        line=(f"manager-{profile.vendor}",)
        if profile.manager_id is None
        else (profile.manager_id,),
        role=Role(profile.role),
        desk=DESKS.get(profile.team, Desk.FRONT_LINE),
        shift=None
        if start is None
        else Shift(
            tz=profile.tz, start=start, end=(start + 11 * 60) % 1440, days=frozenset(range(1, 8))
        ),
    )


class Desks:
    """A floor's people at work on one rig."""

    def __init__(self, rig: Rig, floor: Floor, refs: list[str]) -> None:
        """`refs[n]` is the reference of the floor's customer n + 1."""
        self._rig, self._refs = rig, refs
        self._people = {p.agent_id: caller_of(p) for p in floor.agents}
        self._cases: dict[str, CasePut] = {}

    async def play(self, actions: tuple[Action, ...], late: frozenset[str] = frozenset()) -> Played:
        """Play one day in time; of `late` cases the ticket system tells `LATENESS` late."""
        played, silent = Played(), dict.fromkeys(late, 0)
        for action in actions:
            self._rig.clock.advance(max(0, action.at - self._rig.clock.now()))
            for case_id in [c for c, due in silent.items() if 0 < due <= action.at]:
                del silent[case_id]
                await self._rig.cases.put(SYNC, self._cases[case_id])
            if isinstance(action, View):
                if action.truth == HONEST:
                    await self._view(action, played)
            else:
                self._note(action)
                if action.case_id not in silent:
                    await self._rig.cases.put(SYNC, self._cases[action.case_id])
                else:
                    silent[action.case_id] = silent[action.case_id] or action.at + LATENESS
        return played

    async def approve_list(self, actions: tuple[Action, ...]) -> None:
        """The outreach team's customers of the day, as an approved list."""
        called = [a for a in actions if isinstance(a, View) and a.purpose is Purpose.OUTREACH]
        if not called:
            return
        now = self._rig.clock.now()
        put = WorkListPut(
            id="spring-offer",
            team=self._people[called[0].agent_id].team,
            campaign="spring-offer",
            starts_at=now,
            ends_at=now + 3 * DAY,
            customers=tuple(sorted({self._ref(a) for a in called})),
        )
        people = {
            name: make_caller(name, role=Role.MANAGER, line=()) for name in ("prop", "one", "two")
        }
        await self._rig.directory.put(SYNC, [row_of(p) for p in people.values()])
        await self._rig.work_lists.propose(people["prop"], put)
        for name in ("one", "two"):
            await approve_list(self._rig, people[name], put.id)

    def _ref(self, action: View | CaseOpened | Assigned | Transferred | CaseClosed) -> str:
        return self._refs[action.customer - 1]

    def _note(self, action: CaseOpened | Assigned | Transferred | CaseClosed) -> None:
        """What the ticket system knows of the case after this step."""
        case = self._cases.get(action.case_id) or CasePut(
            id=action.case_id, customer=self._ref(action), channel="phone", opened_at=action.at
        )
        match action:
            case CaseOpened():
                case = replace(case, channel=action.channel, opened_by=action.opened_by)
            case Assigned():
                given = AssignmentPut(agent=action.agent_id, how=action.how, from_at=action.at)
                case = replace(case, assignments=(*case.assignments, given))
            case Transferred():
                given = AssignmentPut(agent=action.to_agent, how="transfer", from_at=action.at)
                case = replace(case, assignments=(*case.assignments, given))
            case CaseClosed():
                case = replace(case, closed_at=action.at)
        self._cases[action.case_id] = case

    async def _view(self, view: View, played: Played) -> None:
        # A machine names its session; people name nothing.
        case = view.case_id if view.purpose is Purpose.AI_SESSION else None
        request = ViewRequest(customer=self._ref(view), purpose=view.purpose.value, case=case)
        answer = await self._rig.broker.view(self._people[view.agent_id], request)
        played.links[view.link.value] += 1
        if isinstance(answer, Served):
            played.served += 1
        elif view.purpose is Purpose.AI_SESSION and view.link is Link.NONE:
            played.strays.append((view, answer))
        else:
            played.refused.append((view, answer))
