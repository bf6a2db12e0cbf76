"""Erasing a customer: one proposes, another approves, and the entry comes before the deed.

Approval writes the `ERASURE` entry and, in the same transaction, makes the customer nobody: its row
loses its keys, and what led to it is gone. What then takes longer, destroying the key above it and
cutting its parts, is `guard.forgetting.shredding`'s, which goes on after a crash.

A legal hold wins. The approved erasure is then `held`, with an entry that says so, and goes on by
itself when the last such hold is lifted: nobody has to remember it, and nobody is asked twice.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import BodyValue, EntryKind, EventPart, NewEntry, Receipt, SubjectPart, event_by
from guard.errors import ConflictError, InvalidRequestError, NotFoundError
from guard.forgetting.grounds import ErasureGround
from guard.forgetting.holds import MAY_FORGET, MAY_READ, conflicts, require_role
from guard.ports import Committer, Readers, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import ErasureRow, ErasureState, HoldRow
from guard.vault.keyring import key_id

# A request must be answered within a month; a proposal nobody approved by then is asked for anew.
LAPSES_AFTER: Micros = 30 * DAY
MAX_REASON = 2_000
MAX_LISTED = 500
# What takes the place of a blind index: as long, and of nothing.
BLIND_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """An erasure after a step: where it stands, what holds it, and the receipt of its entry."""

    row: ErasureRow
    receipt: Receipt
    held_by: tuple[HoldRow, ...] = ()


class Erasures:
    """Proposes, approves and lists erasures."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock) -> None:
        """Write through `committer`, read through `readers`."""
        self._committer, self._readers, self._clock = committer, readers, clock

    async def propose(
        self, principal: Principal, customer: str, ground: ErasureGround, reason: str
    ) -> Erasing:
        """Propose to forget a customer; `reason` goes with it.

        Raises:
            AccessDeniedError: The role may not.
            InvalidRequestError: The reason is missing or too long.
            NotFoundError: There is no such customer.
            ConflictError: It is proposed already.
        """
        require_role(principal, MAY_FORGET)
        if not reason.strip() or len(reason) > MAX_REASON:
            raise InvalidRequestError(f"`reason` must be 1 to {MAX_REASON} characters")

        def work(tx: Transaction) -> Erasing:
            now = self._clock.now()
            subject = tx.rows.subject(principal.tenant, customer)
            if subject is None:
                raise NotFoundError("there is no such customer")
            earlier = tx.rows.erasures_of(principal.tenant, customer)
            if any(_is_open(one, now) for one in earlier):
                raise ConflictError("the erasure of this customer is proposed already: approve it")
            row = ErasureRow(
                id="er-" + secrets.token_hex(6),
                tenant=principal.tenant,
                ref=customer,
                ground=ground.value,
                state=ErasureState.PROPOSED,
                proposed_by=principal.id,
                proposed_at=now,
                bucket=subject.bucket,
                key_id=key_id(principal.tenant, customer),
            )
            tx.rows.put_erasure(row)
            event = event_by(principal, EntryKind.ERASURE_REQUEST, now)
            about = SubjectPart(customer=customer, reason=reason)
            return Erasing(row=row, receipt=_record(tx, event, row, about))

        return await self._committer.run(work)

    async def approve(self, principal: Principal, erasure_id: str) -> Erasing:
        """Approve somebody else's proposal: the customer is nobody when this returns, or held.

        Raises:
            AccessDeniedError: The role may not, or the two people are too close.
            NotFoundError: There is no such proposal, or the customer was forgotten meanwhile.
            ConflictError: It is approved already, or was proposed too long ago.
        """
        require_role(principal, MAY_FORGET)

        def work(tx: Transaction) -> Erasing:
            now = self._clock.now()
            row = tx.rows.erasure(principal.tenant, erasure_id)
            if row is None:
                raise NotFoundError("there is no such erasure")
            if row.state is not ErasureState.PROPOSED:
                raise ConflictError("this erasure is approved already")
            if row.proposed_at + LAPSES_AFTER <= now:
                days = LAPSES_AFTER // DAY
                raise ConflictError(f"this proposal is older than {days} days: propose it again")
            require_second_person(tx.rows.principal(row.tenant, row.proposed_by), principal)
            approved = replace(row, approved_by=principal.id, approved_at=now)
            return carry_out(tx, approved, event_by(principal, EntryKind.ERASURE, now))

        return await self._committer.run(work)

    async def get(self, principal: Principal, erasure_id: str) -> ErasureRow:
        """Where an erasure stands.

        Raises:
            AccessDeniedError: The role may not read erasures.
            NotFoundError: There is no such erasure.
        """
        require_role(principal, MAY_READ)
        row = await self._readers.read(lambda view: view.erasure(principal.tenant, erasure_id))
        if row is None:
            raise NotFoundError("there is no such erasure")
        return row

    async def list(self, principal: Principal) -> list[ErasureRow]:
        """The newest erasures of the tenant, newest first.

        Raises:
            AccessDeniedError: The role may not read erasures.
        """
        require_role(principal, MAY_READ)
        return await self._readers.read(lambda view: view.erasures(principal.tenant, MAX_LISTED))


def carry_out(tx: Transaction, approved: ErasureRow, event: EventPart) -> Erasing:
    """Forget a customer in this transaction, with its entry; or hold it, with an entry too.

    Raises:
        NotFoundError: The customer was forgotten meanwhile.
    """
    subject = tx.rows.lock_subjects({approved.ref}).get(approved.ref)
    if subject is None or subject.wrapped_key is None:
        raise NotFoundError("this customer is forgotten already")
    about = SubjectPart(customer=approved.ref)
    held_by = conflicts(tx.rows, approved.tenant, approved.ref)
    if held_by:
        held = replace(approved, state=ErasureState.HELD)
        tx.rows.put_erasure(held)
        receipt = _record(tx, event, held, about, held_by)
        return Erasing(row=held, receipt=receipt, held_by=tuple(held_by))
    # The bucket may have had another generation since it was proposed.
    recorded = replace(approved, state=ErasureState.RECORDED, bucket=subject.bucket)
    receipt = _record(tx, event, recorded, about)
    recorded = replace(recorded, entry_id=receipt.entry_id)
    tx.rows.forget_subject(approved.tenant, approved.ref, secrets.token_bytes(BLIND_BYTES))
    tx.rows.put_erasure(recorded)
    return Erasing(row=recorded, receipt=receipt)


def _record(
    tx: Transaction,
    event: EventPart,
    row: ErasureRow,
    about: SubjectPart,
    held_by: Sequence[HoldRow] = (),
) -> Receipt:
    """The entry of a step. Whom it is about is in the part that is erased with the customer.

    An `ERASURE` is one that is carried out, and no other: a restored database is read by it.
    """
    body: dict[str, BodyValue] = {
        "erasure": row.id,
        "state": row.state.value,
        "ground": row.ground,
        "proposed_by": row.proposed_by,
        "approved_by": row.approved_by or "",
    }
    if row.state is ErasureState.RECORDED:
        body["keys"] = [row.key_id]
    if held_by:
        body |= {
            "holds": [hold.id for hold in held_by],
            "because": [hold.ground for hold in held_by],
        }
    is_done = row.state is ErasureState.RECORDED
    kind = EntryKind.ERASURE if is_done else EntryKind.ERASURE_REQUEST
    event = msgspec.structs.replace(event, kind=kind.name.lower(), body=body)
    return tx.record(NewEntry(kind=kind, event=event, subjects=(about,)))


def _is_open(row: ErasureRow, now: Micros) -> bool:
    """Whether it may still be approved, or goes on by itself."""
    is_fresh = row.proposed_at + LAPSES_AFTER > now
    return row.state is ErasureState.HELD or (row.state is ErasureState.PROPOSED and is_fresh)
