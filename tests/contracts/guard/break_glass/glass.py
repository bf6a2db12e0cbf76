"""What the tests of break-glass share: people of several lines and vendors, and what they ask."""

from dataclasses import replace

from guard.break_glass import GlassPut, ReasonCode
from guard.clock import MINUTE
from guard.entries import EntryKind, OpenedEntry
from guard.rows import AlertRow, AlertState, GrantRow
from policies.model import Role
from tests.support.people import ANALYST, DIRECTORY, put_people
from tests.support.rig import Rig, make_caller, row_of

TEXT = "the caller says that somebody empties the account right now"
LEAD = make_caller("lead-1", role=Role.LEAD, line=("manager-1",))
ELSEWHERE = make_caller("lead-9", role=Role.LEAD, team="sales", line=("head-9",))


def make_put(ref: str, **changes: object) -> GlassPut:
    put = GlassPut(
        customer=ref, reason_code=ReasonCode.FRAUD_IN_PROGRESS, text=TEXT, minutes=15, case="k-9"
    )
    return replace(put, **changes)  # type: ignore[arg-type] # named fields of a put


def grants(rig: Rig) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is EntryKind.GRANT]


async def staffed(rig: Rig) -> None:
    await put_people(rig)
    await rig.directory.put(DIRECTORY, [row_of(LEAD), row_of(ELSEWHERE)])


async def alerts(rig: Rig) -> list[AlertRow]:
    return await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=50)


async def done(rig: Rig, ref: str, agent: str = "a1") -> GrantRow:
    """A grant that was opened and has ended."""
    row = await rig.break_glass.open(make_caller(agent), make_put(ref, minutes=1))
    rig.clock.advance(MINUTE)
    return row
