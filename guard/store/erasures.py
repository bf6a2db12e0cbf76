"""Forgetting: customers' rows and parts, keys wrapped anew, details that have run out.

A part that is forgotten is cut down to the hash in front of it, so that the commitment is still
checked from it; a row of the log is never removed.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from guard.clock import Micros
from guard.entries import SealedPart
from guard.rows import DueDetail, DueQuery, ErasureRow, ErasureState, SubjectRow
from guard.store.directory import subject_row
from guard.store.entries import HASH_SIZE
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import (
    assignment,
    detail_event,
    detail_subject,
    entry,
    erasure,
    identifier,
    presence_code,
    relation,
    subject,
    support_case,
    tie,
    work_list_member,
)

_ERASURE = select(erasure).where(
    erasure.c.tenant == bindparam("tenant"), erasure.c.id == bindparam("id")
)
_ERASURES = (
    select(erasure)
    .where(erasure.c.tenant == bindparam("tenant"))
    .order_by(erasure.c.proposed_at.desc(), erasure.c.id.desc())
    .limit(bindparam("most"))
)
_IN_STATES = (
    select(erasure)
    .where(erasure.c.state.in_(bindparam("states", expanding=True)))
    .order_by(erasure.c.proposed_at, erasure.c.id)
)
_OF_REF = (
    select(erasure)
    .where(erasure.c.tenant == bindparam("tenant"), erasure.c.ref == bindparam("ref"))
    .order_by(erasure.c.proposed_at)
)
_MEMBERS = (
    select(subject)
    .where(
        subject.c.bucket.in_(bindparam("buckets", expanding=True)),
        subject.c.wrapped_key.is_not(None),
    )
    .order_by(subject.c.ref)
)
_WALK = (
    select(subject)
    .where(subject.c.ref > bindparam("after"), subject.c.wrapped_key.is_not(None))
    .order_by(subject.c.ref)
    .limit(bindparam("most"))
)
_IS_FULL = func.length(detail_event.c.sealed) > HASH_SIZE
_DUE = (
    select(detail_event.c.idx, detail_event.c.at, detail_event.c.agent, detail_event.c.actor)
    .where(
        detail_event.c.tenant == bindparam("tenant"),
        detail_event.c.kind.in_(bindparam("kinds", expanding=True)),
        detail_event.c.at < bindparam("before"),
        detail_event.c.idx > bindparam("after"),
        _IS_FULL,
    )
    .order_by(detail_event.c.idx)
    .limit(bindparam("most"))
)
_OF_EPOCH = (
    select(
        detail_event.c.idx,
        entry.c.entry_id,
        detail_event.c.kind,
        detail_event.c.epoch,
        detail_event.c.sealed,
    )
    .join(entry, entry.c.idx == detail_event.c.idx)
    .where(
        detail_event.c.tenant == bindparam("tenant"),
        detail_event.c.at >= bindparam("since"),
        detail_event.c.at < bindparam("until"),
        detail_event.c.epoch == bindparam("epoch"),
        _IS_FULL,
    )
    .order_by(detail_event.c.idx)
    .limit(bindparam("most"))
)
_REFS = (
    select(detail_subject.c.idx, detail_subject.c.ref)
    .where(detail_subject.c.idx.in_(bindparam("indexes", expanding=True)))
    .order_by(detail_subject.c.idx, detail_subject.c.position)
)
_FULL_PARTS = (
    select(detail_subject.c.idx, detail_subject.c.position)
    .where(
        detail_subject.c.ref == bindparam("ref"), func.length(detail_subject.c.sealed) > HASH_SIZE
    )
    .order_by(detail_subject.c.idx, detail_subject.c.position)
    .limit(bindparam("most"))
)
_CUT_SUBJECTS = (
    update(detail_subject)
    .where(
        tuple_(detail_subject.c.idx, detail_subject.c.position).in_(
            bindparam("places", expanding=True)
        )
    )
    .values(sealed=func.substr(detail_subject.c.sealed, 1, HASH_SIZE))
)
_RESEAL = (
    update(detail_event)
    .where(detail_event.c.idx == bindparam("at_index"))
    .values(epoch=bindparam("to_epoch"), sealed=bindparam("to_sealed"))
)
_REWRAP = (
    update(subject)
    # One that was erased meanwhile stays so.
    .where(subject.c.ref == bindparam("of"), subject.c.wrapped_key.is_not(None))
    .values(bucket=bindparam("to_bucket"), wrapped_key=bindparam("to_wrapped"))
)
_FORGET = (
    update(subject)
    .where(subject.c.ref == bindparam("of"))
    .values(key_blind=bindparam("to_blind"), sealed_key=None, wrapped_key=None, tier="standard")
)
_ASSIGNED = delete(assignment).where(
    tuple_(assignment.c.tenant, assignment.c.case_id).in_(
        select(support_case.c.tenant, support_case.c.id).where(
            support_case.c.tenant == bindparam("of_tenant"), support_case.c.ref == bindparam("of")
        )
    )
)
# In this order: a case goes after its assignments.
_LEADING_TO = (
    _ASSIGNED,
    *(
        delete(table).where(
            table.c.tenant == bindparam("of_tenant"), table.c.ref == bindparam("of")
        )
        for table in (support_case, identifier, presence_code, tie, work_list_member)
    ),
    delete(relation).where(
        relation.c.tenant == bindparam("of_tenant"),
        or_(relation.c.ref == bindparam("of"), relation.c.other == bindparam("of")),
    ),
)


def _row(row: Row[Any]) -> ErasureRow:
    return ErasureRow(**values_of(row) | {"state": ErasureState(row.state)})


class ErasureReads(Session):
    """Finding erasures, and what they are about."""

    def erasure(self, tenant: str, erasure_id: str) -> ErasureRow | None:
        """See `ReadView.erasure`."""
        row = self._first(_ERASURE, {"tenant": tenant, "id": erasure_id})
        return None if row is None else _row(row)

    def erasures(self, tenant: str, limit: int) -> list[ErasureRow]:
        """See `ReadView.erasures`."""
        return [_row(row) for row in self._all(_ERASURES, {"tenant": tenant, "most": limit})]

    def erasures_in(self, states: Collection[ErasureState]) -> list[ErasureRow]:
        """See `ReadView.erasures_in`."""
        return [_row(row) for row in self._all(_IN_STATES, {"states": sorted(states)})]

    def erasures_of(self, tenant: str, ref: str) -> list[ErasureRow]:
        """See `ReadView.erasures_of`."""
        return [_row(row) for row in self._all(_OF_REF, {"tenant": tenant, "ref": ref})]

    def members(self, buckets: Collection[str]) -> list[SubjectRow]:
        """See `ReadView.members`."""
        if not buckets:
            return []
        return [subject_row(row) for row in self._all(_MEMBERS, {"buckets": sorted(buckets)})]

    def living_after(self, after: str, limit: int) -> list[SubjectRow]:
        """See `ReadView.living_after`."""
        return [subject_row(row) for row in self._all(_WALK, {"after": after, "most": limit})]

    def is_touched(
        self, tenant: str, ref: str, agent: str | None, since: Micros | None, until: Micros | None
    ) -> bool:
        """See `ReadView.is_touched`."""
        found = and_(
            detail_subject.c.ref == ref,
            detail_event.c.idx == detail_subject.c.idx,
            detail_event.c.tenant == tenant,
        )
        if agent is not None:
            found = and_(found, or_(detail_event.c.agent == agent, detail_event.c.actor == agent))
        if since is not None:
            found = and_(found, detail_event.c.at >= since)
        if until is not None:
            found = and_(found, detail_event.c.at < until)
        row = self._first(select(exists(select(detail_subject.c.idx).where(found)).label("yes")))
        return row is not None and bool(row.yes)

    def due(self, query: DueQuery) -> list[DueDetail]:
        """See `ReadView.due`."""
        asked = {
            "tenant": query.tenant,
            "kinds": [kind.value for kind in query.kinds],
            "before": query.before,
            "after": query.after,
            "most": query.limit,
        }
        rows = self._all(_DUE, asked)
        refs: dict[int, tuple[str, ...]] = {row.idx: () for row in rows}
        if refs:
            for one in self._all(_REFS, {"indexes": list(refs)}):
                refs[one.idx] = (*refs[one.idx], one.ref)
        return [
            DueDetail(index=r.idx, at=r.at, agent=r.agent, actor=r.actor, refs=refs[r.idx])
            for r in rows
        ]

    def parts_of_epoch(
        self, epoch: str, since: Micros, until: Micros, limit: int
    ) -> list[SealedPart]:
        """See `ReadView.parts_of_epoch`."""
        tenant = epoch.rpartition("/")[0]
        asked = {"tenant": tenant, "epoch": epoch, "since": since, "until": until, "most": limit}
        rows = self._all(_OF_EPOCH, asked)
        return [(r.idx, r.entry_id, r.kind, r.epoch, r.sealed) for r in rows]


class ErasureWrites(ErasureReads, WriteSession):
    """Forgetting."""

    def put_erasure(self, row: ErasureRow) -> None:
        """See `UnitOfWork.put_erasure`."""
        self._put(erasure, [asdict(row) | {"state": row.state.value}])

    def forget_subject(self, tenant: str, ref: str, blind: bytes) -> None:
        """See `UnitOfWork.forget_subject`."""
        self._write(_FORGET, {"of": ref, "to_blind": blind})
        for statement in _LEADING_TO:
            self._write(statement, {"of_tenant": tenant, "of": ref})

    def rewrap_subjects(self, rows: Sequence[SubjectRow]) -> None:
        """See `UnitOfWork.rewrap_subjects`."""
        self._write(
            _REWRAP,
            [{"of": r.ref, "to_bucket": r.bucket, "to_wrapped": r.wrapped_key} for r in rows],
        )

    def cut_parts_about(self, ref: str, limit: int) -> int:
        """See `UnitOfWork.cut_parts_about`."""
        found = self._all(_FULL_PARTS, {"ref": ref, "most": limit})
        if found:
            self._write(_CUT_SUBJECTS, {"places": [(row.idx, row.position) for row in found]})
        return len(found)

    def reseal_events(self, parts: Sequence[tuple[int, str, bytes]]) -> None:
        """See `UnitOfWork.reseal_events`."""
        self._write(
            _RESEAL, [{"at_index": i, "to_epoch": e, "to_sealed": sealed} for i, e, sealed in parts]
        )
