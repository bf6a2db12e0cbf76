"""Cases, who works on them, and work lists."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, insert, or_, select

from guard.clock import Micros
from guard.rows import AssignmentRow, CaseRow, WorkListRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import assignment, support_case, work_list, work_list_member
from policies.model import Purpose

_CASE = select(support_case).where(
    support_case.c.tenant == bindparam("tenant"), support_case.c.id == bindparam("id")
)
_ASSIGNMENTS = (
    select(assignment)
    .where(assignment.c.tenant == bindparam("tenant"), assignment.c.case_id == bindparam("case_id"))
    .order_by(assignment.c.from_at, assignment.c.agent_id)
)
_OPEN_CASES = (
    select(support_case)
    .join(
        assignment,
        and_(
            assignment.c.tenant == support_case.c.tenant,
            assignment.c.case_id == support_case.c.id,
        ),
    )
    .where(
        assignment.c.tenant == bindparam("tenant"),
        assignment.c.agent_id.in_(bindparam("agents", expanding=True)),
        assignment.c.from_at <= bindparam("at"),
        or_(assignment.c.to_at.is_(None), assignment.c.to_at > bindparam("at")),
        support_case.c.opened_at <= bindparam("at"),
        or_(support_case.c.closed_at.is_(None), support_case.c.closed_at > bindparam("at")),
    )
    .distinct()
    .order_by(support_case.c.opened_at, support_case.c.id)
    .limit(bindparam("limit"))
)
_WORK_LIST = select(work_list).where(
    work_list.c.tenant == bindparam("tenant"), work_list.c.id == bindparam("id")
)
_DROP_MEMBERS = delete(work_list_member).where(
    work_list_member.c.tenant == bindparam("of_tenant"),
    work_list_member.c.list_id == bindparam("of_list"),
)


def work_list_row(values: Mapping[str, Any]) -> WorkListRow:
    """Read the columns of `work_list`."""
    fields = values["fields"]
    return WorkListRow(
        **dict(values)
        | {
            "purpose": Purpose(values["purpose"]),
            "fields": None if fields is None else msgspec.json.decode(fields, type=tuple[str, ...]),
        }
    )


class CaseReads(Session):
    """Finding cases, assignments and work lists."""

    def case(self, tenant: str, case_id: str) -> CaseRow | None:
        """See `ReadView.case`."""
        row = self._first(_CASE, {"tenant": tenant, "id": case_id})
        return None if row is None else CaseRow(**values_of(row))

    def assignments(self, tenant: str, case_id: str) -> list[AssignmentRow]:
        """See `ReadView.assignments`."""
        rows = self._all(_ASSIGNMENTS, {"tenant": tenant, "case_id": case_id})
        return [AssignmentRow(**values_of(row)) for row in rows]

    def open_cases(
        self, tenant: str, agents: Collection[str], at: Micros, limit: int
    ) -> list[CaseRow]:
        """See `ReadView.open_cases`."""
        values = {"tenant": tenant, "agents": sorted(agents), "at": at, "limit": limit}
        return [CaseRow(**values_of(row)) for row in self._all(_OPEN_CASES, values)]

    def work_list(self, tenant: str, list_id: str) -> WorkListRow | None:
        """See `ReadView.work_list`."""
        row = self._first(_WORK_LIST, {"tenant": tenant, "id": list_id})
        return None if row is None else work_list_row(values_of(row))


class CaseWrites(CaseReads, WriteSession):
    """Changing cases, assignments and work lists."""

    def put_case(self, row: CaseRow) -> None:
        """See `UnitOfWork.put_case`."""
        self._put(support_case, [asdict(row)])

    def put_assignment(self, row: AssignmentRow) -> None:
        """See `UnitOfWork.put_assignment`."""
        self._put(assignment, [asdict(row)])

    def put_work_list(self, row: WorkListRow, refs: Collection[str] | None) -> None:
        """See `UnitOfWork.put_work_list`."""
        values = asdict(row) | {
            "purpose": row.purpose.value,
            "fields": None if row.fields is None else msgspec.json.encode(row.fields).decode(),
        }
        self._put(work_list, [values])
        if refs is None:
            return
        self._write(_DROP_MEMBERS, {"of_tenant": row.tenant, "of_list": row.id})
        self._write(
            insert(work_list_member),
            [{"tenant": row.tenant, "list_id": row.id, "ref": ref} for ref in sorted(set(refs))],
        )
