"""Who works where: the directory that gives every credential its place in the organisation.

Tenant, region, vendor, site, team, reporting line, role and shift come from here and not from a
token, so that somebody who leaves or moves does so at once. Each change is an entry: detectors
compare people with their peers.
"""

import re
from collections.abc import Sequence

import msgspec

from guard.clock import Clock, Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, NewEntry, event_by
from guard.errors import AccessDeniedError, InvalidRequestError
from guard.ports import Committer, Readers, Transaction
from guard.principals import Principal
from guard.purposes.shifts import zone
from guard.rows import PrincipalRow
from policies.model import Role

MAX_ID = 128
# `/` parts tenant and id in a budget's key, `#` what it counts.
_ID = re.compile(rf"[^/#\x00-\x1f\x7f]{{1,{MAX_ID}}}")
_MAY_LIST = frozenset({Role.ANALYST, Role.AUDITOR, Role.ADMIN, Role.SERVICE})


class Directory:
    """Keeps and finds people, AI agents and services."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock) -> None:
        """Write through `committer`, read through `readers`."""
        self._committer, self._readers, self._clock = committer, readers, clock

    async def put(self, principal: Principal, rows: Sequence[PrincipalRow]) -> int:
        """Insert or replace people of the caller's tenant; how many really changed.

        Raises:
            AccessDeniedError: The credential lacks `directory:write`, or names another tenant.
            InvalidRequestError: An id or a shift makes no sense.
        """
        if "directory:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not write people: `directory:write`")
        for row in rows:
            _check(row, principal.tenant)

        def work(tx: Transaction) -> int:
            changed = 0
            for row in rows:
                known = tx.rows.principal(row.tenant, row.id)
                if row.id == principal.id and known not in (None, row):
                    raise AccessDeniedError("nobody changes their own place: ask somebody else")
                if known != row:
                    tx.rows.put_principal(row)
                    tx.record(_entry(principal, row, self._clock.now()))
                    changed += 1
            return changed

        return await self._committer.run(work)

    async def get(self, tenant: str, principal_id: str) -> PrincipalRow | None:
        """Find somebody; for the identity layer, before there is a principal."""
        return await self._readers.read(lambda view: view.principal(tenant, principal_id))

    async def list(self, principal: Principal) -> list[PrincipalRow]:
        """Everybody of the caller's tenant, by id.

        Raises:
            AccessDeniedError: The role may not list people.
        """
        if principal.role not in _MAY_LIST:
            raise AccessDeniedError("an analyst, auditor or administrator may list people")
        return await self._readers.read(lambda view: view.principals(principal.tenant))


def _entry(by: Principal, row: PrincipalRow, at: Micros) -> NewEntry:
    body: dict[str, BodyValue] = {
        "agent": row.id,
        "team": row.team,
        "role": row.role.value,
        "desk": row.desk.value,
        "kind": row.kind.value,
        "vendor": row.vendor,
        "site": row.site,
        "manager": row.line[0] if row.line else "",
        "active": row.is_active,
        "log_scope": row.log_scope.value,
    }
    if row.shift is not None:
        body |= {"tz": row.shift.tz, "shift_start": row.shift.start}
    event = msgspec.structs.replace(event_by(by, EntryKind.PRINCIPAL, at), body=body)
    return NewEntry(kind=EntryKind.PRINCIPAL, event=event)


def _check(row: PrincipalRow, tenant: str) -> None:
    if row.tenant != tenant:
        raise AccessDeniedError("people of another tenant are that tenant's to write")
    if not _ID.fullmatch(row.id) or not _ID.fullmatch(row.tenant) or row.id == SYSTEM:
        raise InvalidRequestError(
            f"an id is 1 to {MAX_ID} printable characters without `/` and `#`, and not `system`"
        )
    if row.id in row.line:
        raise InvalidRequestError("nobody stands in their own reporting line")
    if row.shift is not None:
        zone(row.shift.tz)
        day = 24 * 60
        if not (0 <= row.shift.start < day and 0 <= row.shift.end < day and row.shift.days):
            raise InvalidRequestError("a shift has minutes from 0 to 1439 and at least one weekday")
