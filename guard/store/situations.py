"""What the broker must know before it decides, for many requests at once.

Seven statements answer any number of queries: each fetches what all of them need, and the rows are
dealt out in memory.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, select, tuple_

from guard.clock import Micros
from guard.rows import AssignmentRow, CaseRow, ModeRow, Situation, SituationQuery, WorkListRow
from guard.store.budgets import PRINCIPALS, locked_principal
from guard.store.cases import work_list_row
from guard.store.directory import DirectoryReads
from guard.store.statements import values_of
from guard.store.tables import assignment, mode_rule, support_case, work_list, work_list_member
from policies.model import Mode, Risk

_CASES = select(support_case).where(
    tuple_(support_case.c.tenant, support_case.c.id).in_(bindparam("cases", expanding=True))
)
_ASSIGNMENTS = (
    select(assignment)
    .where(
        tuple_(assignment.c.tenant, assignment.c.case_id).in_(bindparam("cases", expanding=True))
    )
    .order_by(assignment.c.from_at, assignment.c.agent_id)
)
_OWN_CASES = (
    select(support_case, assignment.c.agent_id, assignment.c.from_at, assignment.c.to_at)
    .join(
        assignment,
        and_(
            assignment.c.tenant == support_case.c.tenant,
            assignment.c.case_id == support_case.c.id,
        ),
    )
    .where(
        support_case.c.ref.in_(bindparam("refs", expanding=True)),
        assignment.c.agent_id.in_(bindparam("agents", expanding=True)),
    )
    .order_by(support_case.c.id)
)
_LISTS = (
    select(work_list, work_list_member.c.ref)
    .join(
        work_list_member,
        and_(
            work_list_member.c.tenant == work_list.c.tenant,
            work_list_member.c.list_id == work_list.c.id,
        ),
    )
    .where(
        work_list_member.c.ref.in_(bindparam("refs", expanding=True)),
        work_list.c.approved_by.is_not(None),
    )
    .order_by(work_list.c.id)
)
_MODES = (
    select(mode_rule)
    .where(
        mode_rule.c.tenant.in_(bindparam("tenants", expanding=True)),
        mode_rule.c.approved_by.is_not(None),
    )
    .order_by(mode_rule.c.approved_at, mode_rule.c.id)
)

_STRICTNESS = (Mode.OBSERVE, Mode.MASK, Mode.ENFORCE)
_SEVERITY = (Risk.NONE, Risk.NOTIFIED, Risk.MASK_MORE, Risk.EXPLAINED_ONLY)


def effective_mode(rules: Iterable[ModeRow], *, vendor: str, team: str, purpose: str) -> Mode:
    """The mode of a scope by the approved `rules` of its tenant, oldest first.

    The rule that names most of the scope wins; of two that name as much, the stricter; of two for
    the same scope, the newer. Without a rule everything is enforced.
    """
    by_scope: dict[tuple[str, str, str], Mode] = {}
    for rule in rules:
        scope = (rule.vendor, rule.team, rule.purpose)
        if all(
            named in ("", asked)
            for named, asked in zip(scope, (vendor, team, purpose), strict=True)
        ):
            by_scope[scope] = rule.mode
    if not by_scope:
        return Mode.ENFORCE
    ranked = ((sum(map(bool, scope)), _STRICTNESS.index(m)) for scope, m in by_scope.items())
    return _STRICTNESS[max(ranked)[1]]


class SituationReads(DirectoryReads):
    """Answering situation queries."""

    def situations(self, queries: Sequence[SituationQuery]) -> list[Situation]:
        """See `ReadView.situations`."""
        if not queries:
            return []
        subjects = self.subjects({q.ref for q in queries})
        cases, assignments = self._cases(queries)
        own_cases = self._own_cases(queries)
        lists = self._lists(queries)
        keys = sorted({key for q in queries for key in q.keys})
        rungs = {row.key: row for row in self._all(PRINCIPALS, {"keys": keys})}
        modes = self._modes(queries)
        found = []
        for q in queries:
            subject = subjects.get(q.ref)
            case = None if q.case_id is None else cases.get((q.tenant, q.case_id))
            risk, is_suspended = _standing([rungs[k] for k in q.keys if k in rungs], q.at)
            found.append(
                Situation(
                    subject=subject if subject is not None and subject.tenant == q.tenant else None,
                    case=case,
                    assignments=() if case is None else tuple(assignments[case.tenant, case.id]),
                    own_open_cases=_open_cases(own_cases[q.tenant, q.agent_id, q.ref], q.at),
                    work_list=_work_list(lists[q.tenant, q.ref], q),
                    risk=risk,
                    is_suspended=is_suspended,
                    mode=effective_mode(
                        modes[q.tenant], vendor=q.vendor, team=q.team, purpose=q.purpose
                    ),
                    mode_elsewhere=effective_mode(
                        modes[q.tenant], vendor=q.vendor, team=q.team, purpose=""
                    ),
                )
            )
        return found

    def _cases(
        self, queries: Sequence[SituationQuery]
    ) -> tuple[dict[tuple[str, str], CaseRow], defaultdict[tuple[str, str], list[AssignmentRow]]]:
        named = {"cases": sorted({(q.tenant, q.case_id) for q in queries if q.case_id is not None})}
        if not named["cases"]:
            return {}, defaultdict(list)
        cases = {
            (row.tenant, row.id): CaseRow(**values_of(row)) for row in self._all(_CASES, named)
        }
        assignments = defaultdict(list)
        for row in self._all(_ASSIGNMENTS, named):
            assignments[row.tenant, row.case_id].append(AssignmentRow(**values_of(row)))
        return cases, assignments

    def _own_cases(
        self, queries: Sequence[SituationQuery]
    ) -> defaultdict[tuple[str, str, str], list[Row[Any]]]:
        values = {
            "refs": sorted({q.ref for q in queries}),
            "agents": sorted({q.agent_id for q in queries}),
        }
        own = defaultdict(list)
        for row in self._all(_OWN_CASES, values):
            own[row.tenant, row.agent_id, row.ref].append(row)
        return own

    def _lists(
        self, queries: Sequence[SituationQuery]
    ) -> defaultdict[tuple[str, str], list[WorkListRow]]:
        lists = defaultdict(list)
        for row in self._all(_LISTS, {"refs": sorted({q.ref for q in queries})}):
            values = values_of(row)
            ref = values.pop("ref")
            lists[row.tenant, ref].append(work_list_row(values))
        return lists

    def _modes(self, queries: Sequence[SituationQuery]) -> defaultdict[str, list[ModeRow]]:
        modes = defaultdict(list)
        for row in self._all(_MODES, {"tenants": sorted({q.tenant for q in queries})}):
            modes[row.tenant].append(ModeRow(**values_of(row) | {"mode": Mode(row.mode)}))
        return modes


def _standing(rows: Sequence[Row[Any]], at: Micros) -> tuple[Risk, bool]:
    """The hardest risk of a principal's keys, and whether any of them is suspended."""
    standing = [locked_principal(row, at) for row in rows]
    risk = max((one.risk for one in standing), key=_SEVERITY.index, default=Risk.NONE)
    suspended = any(
        one.suspended_until is not None and one.suspended_until > at for one in standing
    )
    return risk, suspended


def _open_cases(rows: Sequence[Row[Any]], at: Micros) -> tuple[str, ...]:
    """Cases that stand open at `at`, with an assignment that is live then."""
    live = {
        row.id: None
        for row in rows
        if row.opened_at <= at
        and (row.closed_at is None or row.closed_at > at)
        and row.from_at <= at
        and (row.to_at is None or row.to_at > at)
    }
    return tuple(live)


def _work_list(lists: Sequence[WorkListRow], q: SituationQuery) -> WorkListRow | None:
    """The list in force that names the customer for this team and purpose; the longest-lived."""
    fitting = [
        one
        for one in lists
        if one.team == q.team and one.purpose == q.purpose and one.starts_at <= q.at < one.ends_at
    ]
    return max(fitting, key=lambda one: one.ends_at, default=None)
