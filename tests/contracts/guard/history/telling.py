"""The services of histories over the rig, and those who ask."""

from dataclasses import dataclass

from guard.history import CustomerHistory, Disputes, HoldBackPut, HoldBacks, OwnHistories
from guard.ledger.note import NoteSigner
from guard.principals import Principal
from guard.rows import RelationRow
from policies.model import ActorKind, Role
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR, DIRECTORY, SECOND
from tests.support.rig import Rig, make_caller, row_of

PORTAL = make_caller(
    "portal",
    role=Role.SERVICE,
    kind=ActorKind.SERVICE,
    scopes=frozenset({"history:read", "disputes:write"}),
)
NOTICE = "some rows are held back by law for a time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The rig with histories."""

    rig: Rig
    signer: NoteSigner
    customers: CustomerHistory
    open: CustomerHistory
    disputes: Disputes
    hold_backs: HoldBacks
    own: OwnHistories

    async def people(self) -> None:
        """Put everybody into the directory."""
        who = (AGENT, ANALYST, SECOND, AUDITOR, PORTAL)
        await self.rig.directory.put(DIRECTORY, [row_of(one) for one in who])

    async def held(self, **changes: object) -> str:
        """An approved hold-back of the agent's entries, whenever made; its id."""
        values: dict[str, object] = {
            "agent": AGENT.id,
            "since": 0,
            "until": 2 * self.rig.clock.now(),
            "reason": "a matter under review",
            "ends_at": self.rig.clock.now() + 86_400_000_000,
        }
        put = HoldBackPut(**values | changes)  # type: ignore[arg-type] # fields by name
        row = await self.hold_backs.propose(ANALYST, put)
        await self.hold_backs.approve(SECOND, row.id)
        return row.id

    async def merged(self, *refs: str) -> None:
        """Make one person of two records, as a merge leaves them."""
        pairs = [
            RelationRow(tenant=TENANT, ref=one, other=other, kind="merged")
            for one in refs
            for other in refs
            if one != other
        ]
        await self.rig.committer.run(lambda tx: tx.rows.put_relations(pairs))

    async def viewed(self, ref: str, by: Principal = AGENT) -> str:
        """A view of an assigned case; the id of its entry."""
        case = await self.rig.case(ref, by.id)
        served = await self.rig.broker.view(by, self.rig.asks(ref, case))
        return served.receipt.entry_id


def telling(rig: Rig) -> Telling:
    """Put them together."""
    signer = NoteSigner("t/exports", rig.keyring.signing_key("t/exports"))
    parts = (rig.committer, rig.readers, rig.clock, rig.vault)
    return Telling(
        rig=rig,
        signer=signer,
        customers=CustomerHistory(*parts, signer),
        open=CustomerHistory(*parts, signer, NOTICE),
        disputes=Disputes(rig.committer, rig.clock, rig.vault),
        hold_backs=HoldBacks(*parts),
        own=OwnHistories(*parts, "entries are kept for thirteen months", signer),
    )
