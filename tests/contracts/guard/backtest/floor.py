"""A floor for backtests: an honest team, an insider, and policies that would have stopped her."""

from dataclasses import dataclass, replace

from guard.alerts import AlertChange
from guard.entries import EntryKind
from guard.findings import Severity
from guard.principals import Principal
from guard.rows import AlertState
from tests.support.people import ANALYST, make_finding, open_alert, put_people, raise_finding
from tests.support.policy_bundles import SMALL_CEDAR, small_files
from tests.support.rig import Rig, make_caller

INSIDER = make_caller("a9", team="team-9")
COLLEAGUE = make_caller("a2", team="team-2")
NO_LINK = """
@id("no-link")
@reason("no case links you to this customer: name the case")
forbid (principal, action == Action::"Admit", resource)
when { [Link::"pending", Link::"none"].contains(context.link) };
"""
TEAM_2_STOPS = """
@id("no-transfers")
@reason("transfers are closed")
forbid (principal, action == Action::"Admit", resource)
when { context.link == Link::"transfer" };
"""
FIELDS = """
[fields]
email = { class = "contact", mask = { transform = "email", local = 1, domain = "mask" } }
"""
HIDING = SMALL_CEDAR.split('@id("show-contact")')[0]
BASE = small_files(fields=FIELDS)
STRICT = small_files(cedar=SMALL_CEDAR + NO_LINK, fields=FIELDS)
CLUMSY = small_files(cedar=SMALL_CEDAR + NO_LINK + TEAM_2_STOPS, fields=FIELDS)
PLAIN = small_files(cedar=SMALL_CEDAR.replace('@form("mask")', '@form("plain")'), fields=FIELDS)
SHUT = small_files(cedar=SMALL_CEDAR.replace('@form("mask")', '@form("redact")'), fields=FIELDS)
HIDDEN = small_files(cedar=HIDING, fields=FIELDS)
ANYBODY = small_files(
    cedar=SMALL_CEDAR.replace('principal == Role::"agent"', "principal"), fields=FIELDS
)


@dataclass(frozen=True, slots=True)
class Floor:
    """What was done on it."""

    honest: int
    bad: int
    bad_customers: int


async def work(rig: Rig, caller: Principal, refs: list[str], *, how: str = "") -> None:
    """View each customer once, because of a case (`how` it was assigned) or of nothing."""
    for ref in refs:
        case = await rig.case(ref, caller.id, how=how) if how else None
        await rig.broker.view(caller, rig.asks(ref, case))
        rig.clock.advance(1)


async def a_day(rig: Rig) -> Floor:
    """Two honest agents, and one who looks at customers whom nothing links to her."""
    await put_people(rig)
    refs = await rig.customers(9)
    await work(rig, make_caller("a1"), refs[:3], how="inbound")
    await work(rig, COLLEAGUE, refs[:2], how="transfer")
    began = rig.clock.now()
    await work(rig, INSIDER, [*refs[3:7], refs[3]])
    await work(rig, INSIDER, refs[:1], how="inbound")
    ended = rig.clock.now()
    positions = [e.index for e in rig.log() if e.kind is EntryKind.VIEW and e.event.agent == "a9"]
    found = make_finding(Severity.CRITICAL, agents=("a9",))
    # The alert names the newest of its evidence only; the times say the rest.
    found = replace(
        found, evidence=tuple(positions[2:4]), first_event_at=began, raised_at=ended + 1
    )
    await raise_finding(rig, 1, found)
    return Floor(honest=5, bad=5, bad_customers=4)


async def confirm(rig: Rig) -> None:
    """A person confirms the alert."""
    alert = await open_alert(rig)
    await rig.alerts.change(ANALYST, alert, AlertChange(state=AlertState.CONFIRMED))
