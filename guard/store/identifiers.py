"""The blind index of identifiers, and walking all customers to fill it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import and_, bindparam, delete, exists, or_, select

from guard.clock import Micros
from guard.entries import SYSTEM, EntryKind
from guard.rows import IdentifierRow, SubjectRow
from guard.store.directory import subject_row
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import detail_event, detail_subject, identifier, subject

_IDENTIFIED = (
    select(identifier.c.ref)
    .where(
        identifier.c.tenant == bindparam("tenant"),
        identifier.c.kind == bindparam("kind"),
        identifier.c.blind == bindparam("blind"),
    )
    .order_by(identifier.c.ref)
    .limit(bindparam("most"))
)
_OF = (
    select(identifier)
    .where(identifier.c.tenant == bindparam("tenant"), identifier.c.ref == bindparam("ref"))
    .order_by(identifier.c.kind, identifier.c.blind)
)
_DROP = delete(identifier).where(
    identifier.c.tenant == bindparam("of_tenant"),
    identifier.c.ref == bindparam("of_ref"),
    identifier.c.kind.in_(bindparam("of_kinds", expanding=True)),
)
_ALL = (
    select(subject)
    .where(subject.c.tenant == bindparam("tenant"), subject.c.ref > bindparam("after"))
    .order_by(subject.c.ref)
    .limit(bindparam("most"))
)
# Filling the index names customers in entries of its own, which say nothing new of them.
_BY_THE_INDEX = and_(
    detail_event.c.agent == SYSTEM, detail_event.c.kind == EntryKind.CUSTOMER.value
)
_TOUCHED = exists(
    select(detail_subject.c.idx)
    .join(detail_event, detail_event.c.idx == detail_subject.c.idx)
    .where(
        detail_subject.c.ref == subject.c.ref,
        detail_event.c.at >= bindparam("since"),
        ~_BY_THE_INDEX,
    )
)
_INDEXED = exists(select(identifier.c.ref).where(identifier.c.ref == subject.c.ref))
_SINCE = _ALL.where(or_(_TOUCHED, ~_INDEXED))


class IdentifierReads(Session):
    """Finding customers by blind identifier, and page by page."""

    def identified(self, tenant: str, kind: str, blind: bytes, most: int) -> list[str]:
        """See `ReadView.identified`."""
        values = {"tenant": tenant, "kind": kind, "blind": blind, "most": most}
        return [row.ref for row in self._all(_IDENTIFIED, values)]

    def identifiers_of(self, tenant: str, ref: str) -> list[IdentifierRow]:
        """See `ReadView.identifiers_of`."""
        rows = self._all(_OF, {"tenant": tenant, "ref": ref})
        return [IdentifierRow(**values_of(row)) for row in rows]

    def subjects_after(
        self, tenant: str, after: str, limit: int, since: Micros | None = None
    ) -> list[SubjectRow]:
        """See `ReadView.subjects_after`."""
        values: dict[str, object] = {"tenant": tenant, "after": after, "most": limit}
        if since is None:
            return [subject_row(row) for row in self._all(_ALL, values)]
        return [subject_row(row) for row in self._all(_SINCE, values | {"since": since})]


class IdentifierWrites(IdentifierReads, WriteSession):
    """Changing the blind index."""

    def put_identifiers(
        self, tenant: str, ref: str, kinds: Collection[str], rows: Sequence[IdentifierRow]
    ) -> None:
        """See `UnitOfWork.put_identifiers`."""
        if kinds:
            self._write(_DROP, {"of_tenant": tenant, "of_ref": ref, "of_kinds": sorted(kinds)})
        self._keep(identifier, [asdict(row) for row in rows])
