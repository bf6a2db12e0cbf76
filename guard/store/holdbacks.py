"""What histories leave out for a time, and which of their rows a customer has disputed."""

from dataclasses import asdict

from sqlalchemy import bindparam, or_, select

from guard.clock import Micros
from guard.rows import DisputeRow, HoldBackRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import dispute, hold_back

_ONE = select(hold_back).where(
    hold_back.c.tenant == bindparam("tenant"), hold_back.c.id == bindparam("id")
)
_NOT_OVER = (
    select(hold_back)
    .where(
        hold_back.c.tenant == bindparam("tenant"),
        hold_back.c.ends_at > bindparam("at"),
        or_(hold_back.c.ended_at.is_(None), hold_back.c.ended_at > bindparam("at")),
    )
    .order_by(hold_back.c.proposed_at, hold_back.c.id)
)
_DISPUTE = select(dispute).where(
    dispute.c.tenant == bindparam("tenant"), dispute.c.of == bindparam("entry")
)


class HoldBackReads(Session):
    """Finding hold-backs and disputes."""

    def hold_back(self, tenant: str, hold_back_id: str) -> HoldBackRow | None:
        """See `ReadView.hold_back`."""
        row = self._first(_ONE, {"tenant": tenant, "id": hold_back_id})
        return None if row is None else HoldBackRow(**values_of(row))

    def hold_backs(self, tenant: str, at: Micros) -> list[HoldBackRow]:
        """See `ReadView.hold_backs`."""
        rows = self._all(_NOT_OVER, {"tenant": tenant, "at": at})
        return [HoldBackRow(**values_of(row)) for row in rows]

    def dispute(self, tenant: str, of: str) -> DisputeRow | None:
        """See `ReadView.dispute`."""
        row = self._first(_DISPUTE, {"tenant": tenant, "entry": of})
        return None if row is None else DisputeRow(**values_of(row))


class HoldBackWrites(HoldBackReads, WriteSession):
    """Keeping hold-backs and disputes."""

    def put_hold_back(self, row: HoldBackRow) -> None:
        """See `UnitOfWork.put_hold_back`."""
        self._put(hold_back, [asdict(row)])

    def put_dispute(self, row: DisputeRow) -> None:
        """See `UnitOfWork.put_dispute`."""
        self._keep(dispute, [asdict(row)])
