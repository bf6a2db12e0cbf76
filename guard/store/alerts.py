"""Alerts, and the responses that follow from them."""

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

import msgspec
from sqlalchemy import Row, and_, bindparam, func, select

from guard.clock import Micros
from guard.findings import Finding, Severity
from guard.rows import AlertRow, AlertState, ResponseKind, ResponseRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import alert, budget_principal, entry, response

UNFINISHED = (AlertState.OPEN, AlertState.ACKNOWLEDGED)

_ALERT = select(alert).where(alert.c.tenant == bindparam("tenant"), alert.c.id == bindparam("id"))
_ALERTS = (
    select(alert)
    .where(
        alert.c.tenant == bindparam("tenant"),
        alert.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(alert.c.id.desc())
    .limit(bindparam("limit"))
)
_ALERTS_BEFORE = _ALERTS.where(alert.c.id < bindparam("before"))
# The states are literals, so that both planners recognise the partial index.
_UNFINISHED = select(alert).where(
    alert.c.tenant == bindparam("tenant"),
    alert.c.key == bindparam("key"),
    alert.c.state.in_([state.value for state in UNFINISHED]),
)

_PLACES = (
    select(entry.c.idx)
    .where(entry.c.entry_id.in_(bindparam("entry_ids", expanding=True)))
    .order_by(entry.c.idx)
)

_ENDS = func.coalesce(response.c.ended_at, response.c.ends_at)
_RESPONSE = select(response).where(
    response.c.tenant == bindparam("tenant"), response.c.id == bindparam("id")
)
_RESPONSES = (
    select(response)
    .where(response.c.tenant == bindparam("tenant"))
    .order_by(response.c.starts_at.desc(), response.c.id.desc())
)
_OF_KEY = response.c.key == bindparam("key")
_IN_FORCE = and_(response.c.starts_at <= bindparam("at"), bindparam("at") < _ENDS)
_UNTIL = (
    select(response.c.kind, func.max(_ENDS).label("until")).where(_OF_KEY).group_by(response.c.kind)
)


def _alert_row(row: Row[Any]) -> AlertRow:
    values = values_of(row)
    values |= {
        "state": AlertState(values["state"]),
        "severity": Severity(values["severity"]),
        "finding": msgspec.json.decode(values["finding"], type=Finding),
        "pseudonyms": msgspec.json.decode(values["pseudonyms"], type=tuple[str, ...]),
    }
    return AlertRow(**values)


def _response_row(row: Row[Any]) -> ResponseRow:
    values = values_of(row)
    return ResponseRow(**values | {"kind": ResponseKind(values["kind"])})


class AlertReads(Session):
    """Finding alerts and responses."""

    def alert(self, tenant: str, alert_id: str) -> AlertRow | None:
        """See `ReadView.alert`."""
        row = self._first(_ALERT, {"tenant": tenant, "id": alert_id})
        return None if row is None else self._placed(_alert_row(row))

    def alerts(
        self, tenant: str, *, states: Collection[AlertState], before: str | None, limit: int
    ) -> list[AlertRow]:
        """See `ReadView.alerts`."""
        values = {"tenant": tenant, "states": [state.value for state in states], "limit": limit}
        if before is None:
            rows = self._all(_ALERTS, values)
        else:
            rows = self._all(_ALERTS_BEFORE, values | {"before": before})
        return [self._placed(_alert_row(row)) for row in rows]

    def _placed(self, row: AlertRow) -> AlertRow:
        """The alert with the positions of evidence that had none when it was raised."""
        finding = row.finding
        if not finding.unplaced:
            return row
        asked = {"entry_ids": [bytes.fromhex(one) for one in finding.unplaced]}
        places = {found.idx for found in self._all(_PLACES, asked)}
        evidence = (*finding.evidence, *sorted(places - set(finding.evidence)))
        return replace(row, finding=replace(finding, evidence=evidence))

    def unfinished_alert(self, tenant: str, key: str) -> AlertRow | None:
        """See `ReadView.unfinished_alert`."""
        row = self._first(_UNFINISHED, {"tenant": tenant, "key": key})
        return None if row is None else _alert_row(row)

    def responses(
        self, tenant: str, *, key: str | None, active_at: Micros | None
    ) -> list[ResponseRow]:
        """See `ReadView.responses`."""
        statement = _RESPONSES if key is None else _RESPONSES.where(_OF_KEY)
        if active_at is not None:
            statement = statement.where(_IN_FORCE)
        rows = self._all(statement, {"tenant": tenant, "key": key, "at": active_at})
        return [_response_row(row) for row in rows]

    def response(self, tenant: str, response_id: str) -> ResponseRow | None:
        """See `ReadView.response`."""
        row = self._first(_RESPONSE, {"tenant": tenant, "id": response_id})
        return None if row is None else _response_row(row)


class AlertWrites(AlertReads, WriteSession):
    """Changing alerts and responses."""

    def put_alert(self, row: AlertRow) -> None:
        """See `UnitOfWork.put_alert`."""
        values = asdict(row) | {
            "state": row.state.value,
            "severity": row.severity.value,
            "finding": msgspec.json.encode(row.finding).decode(),
            "pseudonyms": msgspec.json.encode(row.pseudonyms).decode(),
        }
        self._put(alert, [values])

    def put_response(self, row: ResponseRow) -> None:
        """See `UnitOfWork.put_response`.

        The key's row is what every admission locks, so an admission either commits before this
        change or sees it.
        """
        self._put(response, [asdict(row) | {"kind": row.kind.value}])
        until = {found.kind: found.until for found in self._all(_UNTIL, {"key": row.key})}
        self._put(
            budget_principal,
            [
                {
                    "key": row.key,
                    "tenant": row.tenant,
                    "suspended_until": until.get(ResponseKind.SUSPEND.value),
                    "notified_until": until.get(ResponseKind.NOTIFY.value),
                    "mask_more_until": until.get(ResponseKind.MASK_MORE.value),
                    "explained_only_until": until.get(ResponseKind.EXPLAINED_ONLY.value),
                }
            ],
        )
