"""Who is on stage: the simulated floor's people as the broker's directory knows them.

The floor (`detectors.floor`) says who works where and what everybody does on the day. Here its
people get places in one tenant, and those beside the floor are added: an analyst, an auditor, a
manager per vendor, the person for whom the AI agent acts, and the systems that report.
"""

from dataclasses import dataclass

from detectors.floor import Floor, Habit, Insider
from detectors.floor_actions import Action, View
from guard.clock import DAY, HOUR, MINUTE, Micros
from guard.events import AgentProfile
from guard.principals import Principal, Shift
from guard.rows import PrincipalRow
from policies.model import ActorKind, Desk, Role

TENANT, REGION = "demo", "eu"
ANALYST, AUDITOR = "analyst-1", "auditor-1"
DIRECTOR, BOT_OWNER, SYNC = "director-1", "chat-owner", "staff-sync"
# The desks of the floor's teams beside the front line.
DESKS = {"outreach": Desk.OUTREACH, "quality": Desk.QUALITY}
# Detectors learn from so many days before the one that is shown.
WARM_DAYS = 7
# How long after its start a shift still counts: overtime, and a demo that runs late on a slow
# machine, are no reason to call somebody off shift.
SHIFT_MINUTES = 11 * 60
PHOTOS_PER_HOUR = 40
EARLIEST, LATEST = HOUR + 30 * MINUTE, 5 * HOUR
# The demo shows the insider's morning: what comes of her is settled long before.
SHOWN: Micros = 4 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The floor, its insider, and the day that is shown."""

    floor: Floor
    insider: str
    midnight: Micros
    actions: tuple[Action, ...]

    @property
    def warm_up(self) -> range:
        """The days before, for the detectors to learn from."""
        return range(WARM_DAYS)


def choose(seed: int, midnight: Micros, *, customers: int, agents: int) -> Cast:
    """Staff the floor and pick an insider of the earliest shift."""
    honest = Floor.build(
        seed, midnight - WARM_DAYS * DAY, customers=customers, agents=agents, vendors=3
    )
    first: dict[str, Micros] = {}
    for action in honest.day(WARM_DAYS):
        if isinstance(action, View):
            first.setdefault(action.agent_id, action.at - midnight)
    early = [a for a in honest.front_line() if EARLIEST < first.get(a, 0) < LATEST]
    insider = min(early, key=lambda a: (first[a], a))
    habit = Insider(
        habit=Habit.PHOTOGRAPHER,
        agents=(insider,),
        from_day=WARM_DAYS,
        per_day=PHOTOS_PER_HOUR,
    )
    floor = honest.with_insiders(habit)
    curtain = midnight + first[insider] + SHOWN
    shown = tuple(action for action in floor.day(WARM_DAYS) if action.at < curtain)
    return Cast(floor=floor, insider=insider, midnight=midnight, actions=shown)


def directory(cast: Cast) -> list[PrincipalRow]:
    """Everybody, as the staff system would report them."""
    vendors = sorted({profile.vendor for profile in cast.floor.agents})
    return [
        *(_row(f"manager-{vendor}", Role.MANAGER, vendor=vendor) for vendor in vendors),
        _row(DIRECTOR, Role.MANAGER),
        _row(BOT_OWNER, Role.MANAGER),
        _row(ANALYST, Role.ANALYST, team="security"),
        _row(AUDITOR, Role.AUDITOR, team="audit"),
        _row(SYNC, Role.SERVICE, kind=ActorKind.SERVICE),
        *(_agent(profile) for profile in cast.floor.agents),
    ]


def _row(
    principal_id: str,
    role: Role,
    *,
    vendor: str = "",
    team: str = "",
    kind: ActorKind = ActorKind.HUMAN,
) -> PrincipalRow:
    return PrincipalRow(
        id=principal_id,
        tenant=TENANT,
        region=REGION,
        vendor=vendor,
        site="",
        team=team,
        line=(),
        role=role,
        kind=kind,
        shift=None,
    )


def _agent(profile: AgentProfile) -> PrincipalRow:
    start = profile.shift_start
    above = f"manager-{profile.vendor}"
    line = (above,) if profile.manager_id is None else (profile.manager_id, above)
    return PrincipalRow(
        id=profile.agent_id,
        tenant=TENANT,
        region=REGION,
        vendor=profile.vendor,
        site=profile.site,
        team=profile.team,
        line=line,
        role=Role(profile.role),
        kind=ActorKind(profile.kind),
        desk=DESKS.get(profile.team, Desk.FRONT_LINE),
        shift=None
        if start is None
        else Shift(
            tz=profile.tz,
            start=start,
            end=(start + SHIFT_MINUTES) % (24 * 60),
            days=frozenset(range(1, 8)),
        ),
    )


def acting(row: PrincipalRow, scopes: frozenset[str]) -> Principal:
    """Somebody of the directory at the operator's shell, before there is a service to ask."""
    return Principal(
        id=row.id,
        tenant=row.tenant,
        region=row.region,
        vendor=row.vendor,
        site=row.site,
        team=row.team,
        line=row.line,
        role=row.role,
        kind=row.kind,
        actor=None,
        client="shell",
        session="shell",
        scopes=scopes,
        shift=row.shift,
        mfa_at=None,
    )
