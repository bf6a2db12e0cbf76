"""Policy bundles on their way to being in force, and those that were."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, bindparam, select

from guard.clock import Micros
from guard.rows import ActivationRow, ActivationState
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import activation

_ACTIVATION = select(activation).where(
    activation.c.tenant == bindparam("tenant"), activation.c.id == bindparam("id")
)
_ACTIVATIONS = (
    select(activation)
    .where(activation.c.tenant == bindparam("tenant"))
    .order_by(activation.c.proposed_at, activation.c.id)
)
# The state is a literal, so that both planners recognise the partial index.
_ACTIVE = (
    select(activation)
    .where(activation.c.state == ActivationState.ACTIVE.value)
    .order_by(activation.c.tenant)
)
_OVERDUE = (
    select(activation)
    .where(
        activation.c.rolled_back_from.is_not(None),
        activation.c.approved_by.is_(None),
        activation.c.activated_at <= bindparam("until"),
    )
    .order_by(activation.c.activated_at, activation.c.tenant)
    .limit(bindparam("limit"))
)


def _activation_row(row: Row[Any]) -> ActivationRow:
    values = values_of(row)
    return ActivationRow(**values | {"state": ActivationState(values["state"])})


class ActivationReads(Session):
    """Finding activations."""

    def activation(self, tenant: str, activation_id: str) -> ActivationRow | None:
        """See `ReadView.activation`."""
        row = self._first(_ACTIVATION, {"tenant": tenant, "id": activation_id})
        return None if row is None else _activation_row(row)

    def activations(self, tenant: str) -> list[ActivationRow]:
        """See `ReadView.activations`."""
        return [_activation_row(row) for row in self._all(_ACTIVATIONS, {"tenant": tenant})]

    def overdue_rollbacks(self, until: Micros, limit: int) -> list[ActivationRow]:
        """See `ReadView.overdue_rollbacks`."""
        return [_activation_row(r) for r in self._all(_OVERDUE, {"until": until, "limit": limit})]

    def active_policies(self) -> list[ActivationRow]:
        """See `ReadView.active_policies`."""
        return [_activation_row(row) for row in self._all(_ACTIVE)]


class ActivationWrites(ActivationReads, WriteSession):
    """Changing activations."""

    def put_activation(self, row: ActivationRow) -> None:
        """See `UnitOfWork.put_activation`."""
        self._put(activation, [asdict(row) | {"state": row.state.value}])
