"""What the broker must know before it decides, for many requests at once.

At most thirteen statements answer any number of queries: each fetches what all of them need, and
the rows are dealt out in memory. Where a case of one's own explains the view, four of them are
spared.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from guard.clock import Micros
from guard.rows import (
    GrantRow,
    ModeRow,
    Situation,
    SituationQuery,
    SubjectRow,
    WorkListRow,
)
from guard.store.budgets import PRINCIPALS, locked_principal
from guard.store.cases import work_list_row
from guard.store.directory import DirectoryReads
from guard.store.links import LinkReads, Pair, is_waiting, open_cases, people_of
from guard.store.statements import values_of
from guard.store.tables import mode_rule, work_list, work_list_member
from policies.model import Mode, Purpose, Risk, Tie

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


# Purposes whose case may still be on its way from the ticket system.
_MAY_BE_LATE = frozenset({Purpose.SUPPORT_CASE, Purpose.AI_SESSION})


class SituationReads(DirectoryReads, LinkReads):
    """Answering situation queries."""

    def situations(self, queries: Sequence[SituationQuery]) -> list[Situation]:
        """See `ReadView.situations`."""
        if not queries:
            return []
        subjects = self.subjects({q.ref for q in queries})
        book = self._case_book(queries)
        own = [book.of(q) for q in queries]
        still_open = [open_cases(cases, q) for q, cases in zip(queries, own, strict=True)]
        # Only where no case of one's own stands is it asked what else could explain the view.
        lonely = [
            q
            for q, cases in zip(queries, still_open, strict=True)
            if q.purpose in _MAY_BE_LATE and not cases
        ]
        related, unlinked = self._related(lonely), self._unlinked(lonely)
        routed = self._routed(lonely)
        waiting = self._waiting([q for q in lonely if q.is_row])
        ties, grants = self._ties(queries), self._grants(queries)
        lists = self._lists(queries)
        keys = sorted({key for q in queries for key in q.keys})
        rungs = {row.key: row for row in self._all(PRINCIPALS, {"keys": keys})}
        modes = self._modes(queries)
        found = []
        for q, own_cases, own_open in zip(queries, own, still_open, strict=True):
            subject = subjects.get(q.ref)
            named = None if q.case_id is None else book.named.get((q.tenant, q.case_id))
            risk, is_suspended = _standing([rungs[k] for k in q.keys if k in rungs], q.at)
            rules = modes[q.tenant]
            found.append(
                Situation(
                    subject=subject if subject is not None and _is_of(subject, q) else None,
                    case=None if named is None else named.case,
                    assignments=() if named is None else named.assignments,
                    own_open_cases=own_open,
                    own_cases=own_cases,
                    related_cases=_of_people(related, q),
                    unlinked_since=unlinked.get((q.tenant, q.agent_id, q.ref)),
                    routed_at=routed.get((q.tenant, q.agent_id)),
                    has_open_case=q.is_row and is_waiting(waiting[q.tenant, q.ref], q),
                    tie=ties.get((q.tenant, q.agent_id, q.ref), Tie.NONE),
                    grants=_in_force(grants, q),
                    work_list=_work_list(lists[q.tenant, q.ref], q),
                    risk=risk,
                    is_suspended=is_suspended,
                    mode=effective_mode(rules, vendor=q.vendor, team=q.team, purpose=q.purpose),
                    mode_elsewhere=effective_mode(rules, vendor=q.vendor, team=q.team, purpose=""),
                )
            )
        return found

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


def _is_of(subject: SubjectRow, q: SituationQuery) -> bool:
    """Whether a customer is the caller's to know of: of the tenant, and not erased."""
    return subject.tenant == q.tenant and subject.wrapped_key is not None


def _standing(rows: Sequence[Row[Any]], at: Micros) -> tuple[Risk, bool]:
    """The hardest risk of a principal's keys, and whether any of them is suspended."""
    standing = [locked_principal(row, at) for row in rows]
    risk = max((one.risk for one in standing), key=_SEVERITY.index, default=Risk.NONE)
    suspended = any(
        one.suspended_until is not None and one.suspended_until > at for one in standing
    )
    return risk, suspended


def _of_people(cases: defaultdict[Pair, list[str]], q: SituationQuery) -> tuple[str, ...]:
    return tuple(sorted({one for who in people_of(q) for one in cases[q.tenant, who, q.ref]}))


def _in_force(grants: defaultdict[Pair, list[GrantRow]], q: SituationQuery) -> tuple[GrantRow, ...]:
    return tuple(
        grant
        for who in people_of(q)
        for grant in grants[q.tenant, who, q.ref]
        if grant.starts_at <= q.at < grant.ends_at
    )


def _work_list(lists: Sequence[WorkListRow], q: SituationQuery) -> WorkListRow | None:
    """The list in force that names the customer for this team and purpose; the longest-lived."""
    fitting = [
        one
        for one in lists
        if one.team == q.team and one.purpose == q.purpose and one.starts_at <= q.at < one.ends_at
    ]
    return max(fitting, key=lambda one: one.ends_at, default=None)
