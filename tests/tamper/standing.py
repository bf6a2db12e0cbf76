"""What stands because entries say so: holds, an erasure, a hold-back, a dispute."""

from dataclasses import replace

import msgspec

from guard.clock import DAY, HOUR
from guard.entries import EntryKind, NewEntry, Receipt, event_by
from guard.forgetting import ErasureGround, Erasures, HoldGround, HoldPut, Holds
from guard.history.disputes import Disputes
from guard.ports import Transaction
from guard.principals import Principal
from guard.rows import HoldBackRow, HoldScope
from policies.model import ActorKind, Role
from tests.support.people import ANALYST, SECOND
from tests.support.rig import Rig, make_caller, row_of

PORTAL = make_caller(
    "portal",
    role=Role.SERVICE,
    kind=ActorKind.SERVICE,
    scopes=frozenset({"disputes:write"}),
)


async def stand_for(rig: Rig, refs: list[str], disputed: Receipt) -> None:
    """Holds in each state, an erasure that one of them holds, a hold-back, a dispute."""
    await rig.directory.put(make_caller("desk"), [row_of(one) for one in (ANALYST, SECOND, PORTAL)])
    holds = Holds(rig.committer, rig.readers, rig.clock)
    ground, now = HoldGround.LEGAL_CLAIMS, rig.clock.now()
    made = [
        await holds.set(ANALYST, HoldPut(ground=ground, matter="m", **put))
        for put in (
            {"scope": HoldScope.CUSTOMER, "value": refs[0]},
            {"scope": HoldScope.AGENT, "value": "a2", "since": now - HOUR},
            {"scope": HoldScope.TIME, "since": now - HOUR, "until": now},
        )
    ]
    await holds.lift(ANALYST, made[1].id)
    await holds.lift(ANALYST, made[2].id)
    await holds.lift(SECOND, made[2].id)
    erasures = Erasures(rig.committer, rig.readers, rig.clock)
    for ref in refs[:2]:
        asked = await erasures.propose(ANALYST, ref, ErasureGround.UNLAWFUL, "asked in writing")
        if ref == refs[0]:
            await erasures.approve(SECOND, asked.row.id)
    row = HoldBackRow(
        id="hbk-1",
        tenant=ANALYST.tenant,
        agent_id="a2",
        ref="",
        since=now - HOUR,
        until=now,
        reason="under investigation",
        proposed_by=ANALYST.id,
        proposed_at=rig.clock.now(),
        ends_at=now + DAY,
    )
    await hold_back(rig, ANALYST, row, "proposed")
    approved = replace(row, approved_by=SECOND.id, approved_at=rig.clock.now())
    await hold_back(rig, SECOND, approved, "approved")
    await Disputes(rig.committer, rig.clock, rig.vault).dispute(
        PORTAL, refs[0], disputed.entry_id, "that was nobody I know"
    )


async def hold_back(rig: Rig, by: Principal, row: HoldBackRow, state: str) -> None:
    """Keep a row with its entry, as `guard.history.hold_backs` does."""

    def work(tx: Transaction) -> None:
        tx.rows.put_hold_back(row)
        event = msgspec.structs.replace(
            event_by(by, EntryKind.HOLD_BACK, rig.clock.now()),
            body={
                "hold_back": row.id,
                "agent": row.agent_id,
                "since": row.since,
                "until": row.until,
                "ends_at": row.ends_at,
                "because": row.reason,
                "state": state,
            },
        )
        tx.record(NewEntry(kind=EntryKind.HOLD_BACK, event=event))

    await rig.committer.run(work)
