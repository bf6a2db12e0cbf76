"""Legal holds."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, bindparam, select

from guard.rows import HoldRow, HoldScope
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import legal_hold

_HOLD = select(legal_hold).where(
    legal_hold.c.tenant == bindparam("tenant"), legal_hold.c.id == bindparam("id")
)
_HOLDS = (
    select(legal_hold)
    .where(legal_hold.c.tenant == bindparam("tenant"))
    .order_by(legal_hold.c.set_at, legal_hold.c.id)
)
_IN_FORCE = _HOLDS.where(legal_hold.c.lifted_by.is_(None))


def _row(row: Row[Any]) -> HoldRow:
    return HoldRow(**values_of(row) | {"scope": HoldScope(row.scope)})


class HoldReads(Session):
    """Finding holds."""

    def hold(self, tenant: str, hold_id: str) -> HoldRow | None:
        """See `ReadView.hold`."""
        row = self._first(_HOLD, {"tenant": tenant, "id": hold_id})
        return None if row is None else _row(row)

    def holds(self, tenant: str) -> list[HoldRow]:
        """See `ReadView.holds`."""
        return [_row(row) for row in self._all(_HOLDS, {"tenant": tenant})]

    def holds_in_force(self, tenant: str) -> list[HoldRow]:
        """See `ReadView.holds_in_force`."""
        return [_row(row) for row in self._all(_IN_FORCE, {"tenant": tenant})]


class HoldWrites(HoldReads, WriteSession):
    """Setting and lifting holds."""

    def put_hold(self, row: HoldRow) -> None:
        """See `UnitOfWork.put_hold`."""
        self._put(legal_hold, [asdict(row) | {"scope": row.scope.value}])
