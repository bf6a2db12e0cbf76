"""Who of the directory is a customer too, or is close to one: self, family, colleague.

The personnel system or an administrator says so; nobody writes their own. What a tie forbids or
masks is the policy's business. The customer stands in the entry's subject part alone.
"""

import msgspec

from guard.clock import Clock
from guard.entries import EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, NotFoundError
from guard.ports import Committer, Transaction
from guard.principals import Principal
from guard.rows import TieRow
from policies.model import Role, Tie

_MAY_WRITE = frozenset({Role.SERVICE, Role.ADMIN})


class Ties:
    """Takes ties in."""

    def __init__(self, committer: Committer, clock: Clock) -> None:
        """Write through `committer`."""
        self._committer, self._clock = committer, clock

    async def put(self, principal: Principal, principal_id: str, ref: str, tie: Tie) -> bool:
        """Store what binds somebody to a customer, `Tie.NONE` ends it; whether that was new.

        Raises:
            AccessDeniedError: The credential lacks `ties:write`, or it is the caller's own tie.
            NotFoundError: The person or the reference is unknown.
        """
        if "ties:write" not in principal.scopes or principal.role not in _MAY_WRITE:
            raise AccessDeniedError("this credential may not write ties: `ties:write`")
        if principal_id in {principal.id, principal.actor}:
            raise AccessDeniedError("nobody writes their own ties: ask an administrator")
        row = TieRow(tenant=principal.tenant, principal_id=principal_id, ref=ref, tie=tie)

        def work(tx: Transaction) -> bool:
            if tx.rows.principal(row.tenant, principal_id) is None:
                raise NotFoundError("nobody of that name is in the directory")
            if tx.rows.subject(row.tenant, ref) is None:
                raise NotFoundError("unknown customer reference: enrol the customer first")
            known = tx.rows.tie(row.tenant, principal_id, ref)
            if (Tie.NONE if known is None else known.tie) is tie:
                return False
            tx.rows.put_tie(row)
            event = msgspec.structs.replace(
                event_by(principal, EntryKind.TIE, self._clock.now()),
                body={"agent": principal_id, "tie": tie.value},
            )
            subject = SubjectPart(customer=ref)
            tx.record(NewEntry(kind=EntryKind.TIE, event=event, subjects=(subject,)))
            return True

        return await self._committer.run(work)
