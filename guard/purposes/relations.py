"""Customers of one household or business: a case of one explains a look at the other, weakly.

Relations come from the system that knows them (a CRM's accounts), are stored in both directions and
each change of them is an entry about every customer concerned.
"""

from dataclasses import dataclass
from itertools import permutations

import msgspec

from guard.clock import Clock
from guard.entries import EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Transaction
from guard.principals import Principal
from guard.rows import RelationRow

KINDS = frozenset({"household", "business"})
# A larger group would explain a look at anybody: a company's staff are not its customer.
MAX_GROUP = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationPut:
    """Customers who belong together, by reference; `is_over`: they do not any more."""

    kind: str
    customers: tuple[str, ...]
    is_over: bool = False


class Relations:
    """Takes relations in."""

    def __init__(self, committer: Committer, clock: Clock) -> None:
        """Write through `committer`."""
        self._committer, self._clock = committer, clock

    async def put(self, principal: Principal, put: RelationPut) -> int:
        """Store or end the relations within a group; how many pairs changed.

        Raises:
            AccessDeniedError: The credential lacks `relations:write`.
            InvalidRequestError: The kind is unknown, or the group too small or too large.
            NotFoundError: A reference is unknown.
        """
        if "relations:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not write relations: `relations:write`")
        group = tuple(sorted(set(put.customers)))
        if put.kind not in KINDS:
            raise InvalidRequestError("`kind` must be one of " + ", ".join(sorted(KINDS)))
        if not 1 < len(group) <= MAX_GROUP:
            raise InvalidRequestError(f"a group holds 2 to {MAX_GROUP} different customers")

        def work(tx: Transaction) -> int:
            if tx.rows.known_refs(principal.tenant, group) != set(group):
                raise NotFoundError("unknown customer reference: enrol the customers first")
            return self._put(tx, principal, put, group)

        return await self._committer.run(work)

    def _put(self, tx: Transaction, by: Principal, put: RelationPut, group: tuple[str, ...]) -> int:
        wanted = {
            RelationRow(tenant=by.tenant, ref=ref, other=other, kind=put.kind)
            for ref, other in permutations(group, 2)
        }
        stored = {row for ref in group for row in tx.rows.related(by.tenant, ref)}
        changed = sorted(
            wanted & stored if put.is_over else wanted - stored, key=lambda r: (r.ref, r.other)
        )
        if not changed:
            return 0
        if put.is_over:
            tx.rows.drop_relations(changed)
        else:
            tx.rows.put_relations(changed)
        concerned = sorted({row.ref for row in changed})
        event = msgspec.structs.replace(
            event_by(by, EntryKind.RELATION, self._clock.now()),
            body={"kind": put.kind, "size": len(concerned), "active": not put.is_over},
        )
        subjects = tuple(SubjectPart(customer=ref) for ref in concerned)
        tx.record(NewEntry(kind=EntryKind.RELATION, event=event, subjects=subjects))
        return len(changed) // 2
