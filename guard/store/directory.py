"""Principals and customers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, insert, select, update

from guard.principals import LogScope, Shift
from guard.rows import PrincipalRow, SubjectRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import principal, subject
from policies.model import ActorKind, Desk, Role, Tier

_PRINCIPAL = select(principal).where(
    principal.c.tenant == bindparam("tenant"), principal.c.id == bindparam("id")
)
_PRINCIPALS = (
    select(principal).where(principal.c.tenant == bindparam("tenant")).order_by(principal.c.id)
)
# Who was erased is nobody's customer any more; the log still names the reference (`subjects`).
_SUBJECT = select(subject).where(
    subject.c.tenant == bindparam("tenant"),
    subject.c.ref == bindparam("ref"),
    subject.c.wrapped_key.is_not(None),
)
_BY_BLIND = select(subject).where(
    subject.c.tenant == bindparam("tenant"),
    subject.c.source == bindparam("source"),
    subject.c.key_blind == bindparam("key_blind"),
)
_SUBJECTS = (
    select(subject)
    .where(subject.c.ref.in_(bindparam("refs", expanding=True)))
    .order_by(subject.c.ref)
)
_LOCK_SUBJECTS = _SUBJECTS.with_for_update()
_ADVANCE = (
    update(subject).where(subject.c.ref == bindparam("of")).values(next_n=bindparam("next_n"))
)


def _principal_row(row: Row[Any]) -> PrincipalRow:
    values = values_of(row)
    shift = values["shift"]
    values |= {
        "line": msgspec.json.decode(values["line"], type=tuple[str, ...]),
        "role": Role(values["role"]),
        "kind": ActorKind(values["kind"]),
        "desk": Desk(values["desk"]),
        "log_scope": LogScope(values["log_scope"]),
        "shift": None if shift is None else msgspec.json.decode(shift, type=Shift),
    }
    return PrincipalRow(**values)


def subject_row(row: Row[Any]) -> SubjectRow:
    """Read the columns of `subject`."""
    values = values_of(row)
    return SubjectRow(**values | {"tier": Tier(values["tier"])})


_PROTECT = (
    update(subject)
    .where(subject.c.ref == bindparam("which"))
    .values({name: bindparam(name) for name in ("region", "tier", "is_decoy")})
)


class DirectoryReads(Session):
    """Finding principals and customers."""

    def principal(self, tenant: str, principal_id: str) -> PrincipalRow | None:
        """See `ReadView.principal`."""
        row = self._first(_PRINCIPAL, {"tenant": tenant, "id": principal_id})
        return None if row is None else _principal_row(row)

    def principals(self, tenant: str) -> list[PrincipalRow]:
        """See `ReadView.principals`."""
        return [_principal_row(row) for row in self._all(_PRINCIPALS, {"tenant": tenant})]

    def subject(self, tenant: str, ref: str) -> SubjectRow | None:
        """See `ReadView.subject`."""
        row = self._first(_SUBJECT, {"tenant": tenant, "ref": ref})
        return None if row is None else subject_row(row)

    def subject_by_blind(self, tenant: str, source: str, key_blind: bytes) -> SubjectRow | None:
        """See `ReadView.subject_by_blind`."""
        row = self._first(_BY_BLIND, {"tenant": tenant, "source": source, "key_blind": key_blind})
        return None if row is None else subject_row(row)

    def subjects(self, refs: Collection[str]) -> dict[str, SubjectRow]:
        """See `ReadView.subjects`."""
        if not refs:
            return {}
        rows = self._all(_SUBJECTS, {"refs": sorted(refs)})
        return {row.ref: subject_row(row) for row in rows}


class DirectoryWrites(DirectoryReads, WriteSession):
    """Changing principals and customers."""

    def lock_subjects(self, refs: Collection[str]) -> dict[str, SubjectRow]:
        """See `UnitOfWork.lock_subjects`."""
        if not refs:
            return {}
        rows = self._all(_LOCK_SUBJECTS, {"refs": sorted(refs)})
        return {row.ref: subject_row(row) for row in rows}

    def advance_subjects(self, next_n: Mapping[str, int]) -> None:
        """See `UnitOfWork.advance_subjects`."""
        self._write(_ADVANCE, [{"of": ref, "next_n": n} for ref, n in sorted(next_n.items())])

    def add_subjects(self, rows: Sequence[SubjectRow]) -> None:
        """See `UnitOfWork.add_subjects`."""
        self._write(insert(subject), [asdict(row) | {"tier": row.tier.value} for row in rows])

    def protect_subject(self, row: SubjectRow) -> None:
        """See `UnitOfWork.protect_subject`."""
        values = {"region": row.region, "tier": row.tier.value, "is_decoy": row.is_decoy}
        self._write(_PROTECT, values | {"which": row.ref})

    def put_principal(self, row: PrincipalRow) -> None:
        """See `UnitOfWork.put_principal`."""
        values = asdict(row) | {
            "line": msgspec.json.encode(row.line).decode(),
            "role": row.role.value,
            "kind": row.kind.value,
            "desk": row.desk.value,
            "log_scope": row.log_scope.value,
            "shift": None if row.shift is None else msgspec.json.encode(row.shift).decode(),
        }
        self._put(principal, [values])
