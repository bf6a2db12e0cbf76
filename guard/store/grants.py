"""What opens views without a case: members of work lists, grants, one-time codes."""

from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from guard.clock import Micros
from guard.rows import GrantKind, GrantRow, PresenceCodeRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import access_grant, presence_code, subject, work_list_member

# Members read at once.
PIECE = 10_000

_GRANT = select(access_grant).where(
    access_grant.c.tenant == bindparam("tenant"), access_grant.c.id == bindparam("id")
)
_GRANTS = select(access_grant).where(
    access_grant.c.tenant == bindparam("tenant"), access_grant.c.kind == bindparam("kind")
)
_NEWEST_FIRST = (access_grant.c.starts_at.desc(), access_grant.c.id.desc())
_RECENT = _GRANTS.where(
    access_grant.c.agent_id == bindparam("agent_id"),
    or_(access_grant.c.starts_at > bindparam("since"), access_grant.c.reviewed_at.is_(None)),
).order_by(*_NEWEST_FIRST)
_OPEN = (
    _GRANTS.where(access_grant.c.ends_at > bindparam("at"))
    .order_by(*_NEWEST_FIRST)
    .limit(bindparam("limit"))
)
# The one that waits longest comes first, so that a full page never hides it.
_UNREVIEWED = (
    _GRANTS.where(access_grant.c.ends_at <= bindparam("at"), access_grant.c.reviewed_at.is_(None))
    .order_by(access_grant.c.starts_at, access_grant.c.id)
    .limit(bindparam("limit"))
)
_OVERDUE = (
    select(access_grant)
    .where(
        access_grant.c.kind == bindparam("kind"),
        access_grant.c.ends_at <= bindparam("until"),
        access_grant.c.reviewed_at.is_(None),
    )
    .order_by(access_grant.c.ends_at, access_grant.c.tenant, access_grant.c.id)
    .limit(bindparam("limit"))
)
_CODE = (
    select(presence_code)
    .where(
        presence_code.c.tenant == bindparam("tenant"),
        presence_code.c.ref == bindparam("ref"),
        presence_code.c.expires_at > bindparam("at"),
        presence_code.c.used_at.is_(None),
    )
    .order_by(presence_code.c.expires_at.desc())
    .limit(1)
)
_BY_BLINDS = select(subject.c.key_blind, subject.c.ref).where(
    subject.c.tenant == bindparam("tenant"),
    subject.c.source == bindparam("source"),
    subject.c.key_blind.in_(bindparam("blinds", expanding=True)),
)


_MEMBERS = (
    select(work_list_member.c.ref)
    .where(
        work_list_member.c.tenant == bindparam("tenant"),
        work_list_member.c.list_id == bindparam("list_id"),
        work_list_member.c.ref > bindparam("after"),
    )
    .order_by(work_list_member.c.ref)
    .limit(bindparam("limit"))
)
_KNOWN = select(subject.c.ref).where(
    subject.c.tenant == bindparam("tenant"),
    subject.c.ref.in_(bindparam("refs", expanding=True)),
    subject.c.wrapped_key.is_not(None),
)


def _grant_row(row: Row[Any]) -> GrantRow:
    return GrantRow(**values_of(row) | {"kind": GrantKind(row.kind)})


class GrantReads(Session):
    """Finding members, grants and codes."""

    def work_list_members(self, tenant: str, list_id: str) -> Iterator[str]:
        """See `ReadView.work_list_members`."""
        after = ""
        while True:
            values = {"tenant": tenant, "list_id": list_id, "after": after, "limit": PIECE}
            rows = self._all(_MEMBERS, values)
            for row in rows:
                yield row.ref
            if len(rows) < PIECE:
                return
            after = rows[-1].ref

    def known_refs(self, tenant: str, refs: Collection[str]) -> set[str]:
        """See `ReadView.known_refs`."""
        if not refs:
            return set()
        return {row.ref for row in self._all(_KNOWN, {"tenant": tenant, "refs": sorted(refs)})}

    def refs_by_blind(
        self, tenant: str, source: str, blinds: Collection[bytes]
    ) -> dict[bytes, str]:
        """See `ReadView.refs_by_blind`."""
        if not blinds:
            return {}
        values = {"tenant": tenant, "source": source, "blinds": sorted(blinds)}
        return {bytes(row.key_blind): row.ref for row in self._all(_BY_BLINDS, values)}

    def grant(self, tenant: str, grant_id: str) -> GrantRow | None:
        """See `ReadView.grant`."""
        row = self._first(_GRANT, {"tenant": tenant, "id": grant_id})
        return None if row is None else _grant_row(row)

    def grants_of(
        self, tenant: str, kind: GrantKind, agent_id: str, since: Micros
    ) -> list[GrantRow]:
        """See `ReadView.grants_of`."""
        values = {"tenant": tenant, "kind": kind.value, "agent_id": agent_id, "since": since}
        return [_grant_row(row) for row in self._all(_RECENT, values)]

    def open_grants(self, tenant: str, kind: GrantKind, at: Micros, limit: int) -> list[GrantRow]:
        """See `ReadView.open_grants`."""
        values = {"tenant": tenant, "kind": kind.value, "at": at, "limit": limit}
        return [_grant_row(row) for row in self._all(_OPEN, values)]

    def unreviewed_grants(
        self, tenant: str, kind: GrantKind, at: Micros, limit: int
    ) -> list[GrantRow]:
        """See `ReadView.unreviewed_grants`."""
        values = {"tenant": tenant, "kind": kind.value, "at": at, "limit": limit}
        return [_grant_row(row) for row in self._all(_UNREVIEWED, values)]

    def overdue_grants(self, kind: GrantKind, until: Micros, limit: int) -> list[GrantRow]:
        """See `ReadView.overdue_grants`."""
        values = {"kind": kind.value, "until": until, "limit": limit}
        return [_grant_row(row) for row in self._all(_OVERDUE, values)]

    def live_code(self, tenant: str, ref: str, at: Micros) -> PresenceCodeRow | None:
        """See `ReadView.live_code`."""
        row = self._first(_CODE, {"tenant": tenant, "ref": ref, "at": at})
        if row is None:
            return None
        values = values_of(row)
        return PresenceCodeRow(**values | {"digest": bytes(values["digest"])})


class GrantWrites(GrantReads, WriteSession):
    """Changing members, grants and codes."""

    def add_members(self, tenant: str, list_id: str, refs: Collection[str]) -> None:
        """See `UnitOfWork.add_members`."""
        rows = [{"tenant": tenant, "list_id": list_id, "ref": ref} for ref in sorted(set(refs))]
        self._keep(work_list_member, rows)

    def put_grant(self, row: GrantRow) -> None:
        """See `UnitOfWork.put_grant`."""
        self._put(access_grant, [asdict(row) | {"kind": row.kind.value}])

    def put_presence_code(self, row: PresenceCodeRow) -> None:
        """See `UnitOfWork.put_presence_code`."""
        self._put(presence_code, [asdict(row)])
