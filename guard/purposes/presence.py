"""A customer who is present: a one-time code opens sensitive fields while it is fresh.

A trusted app or telephone menu asks for the code and shows it to the customer; the agent types what
the customer says. Rules:

* the store keeps a keyed digest of a code, bound to its customer; the code itself is in no entry,
  log or error, and leaves once, in the answer to who asked for it;
* a customer has at most one live code; it works once, for `CODE_LIFE`, and dies of `TRIES` wrong
  ones;
* an agent's wrong codes are charged to a budget of the agent's own, hourly and daily, in the
  transaction that counts them;
* every answer to a wrong code is the same, whether there is a code, a customer or neither.
"""

import secrets
from dataclasses import dataclass, replace
from hmac import compare_digest, digest

import msgspec

from guard.clock import MINUTE, SECOND, Clock, Micros
from guard.entries import BodyValue, Charge, EntryKind, EventPart, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Transaction
from guard.principals import Principal
from guard.purposes.customer_checks import CODE, check, own_cases
from guard.quotas import Binding, Spent, consume, peek
from guard.rows import GrantKind, GrantRow, PresenceCodeRow
from guard.vault.keyring import Keyring
from policies.model import ActorKind, Budget, BudgetKey, Measure, Role, Window

# Six digits are what people read aloud without a slip; five tries guess one in 200,000.
DIGITS = 6
CODE_LIFE: Micros = 5 * MINUTE
TRIES = 5
# Long enough for what a call needs the sensitive fields for.
OPEN_FOR: Micros = 10 * MINUTE
# Honest slips are a few a day; whoever reaches this is guessing.
WRONG_AN_HOUR, WRONG_A_DAY = 10, 20
_KIND = GrantKind.CUSTOMER_PRESENT
_MAY_CLAIM = frozenset({Role.AGENT, Role.LEAD, Role.MANAGER})
# What a code is compared with where there is none: no digest is empty.
_NOTHING = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshCode:
    """A code on its way to the customer's own screen; it never prints."""

    code: str
    expires_in_s: int

    def __repr__(self) -> str:
        """Show nothing of the code."""
        return "FreshCode(…)"


class Presence:
    """Makes one-time codes and takes them from agents."""

    def __init__(self, committer: Committer, keyring: Keyring, clock: Clock) -> None:
        """Write through `committer`, digest under each tenant's key of `keyring`."""
        self._committer, self._keyring, self._clock = committer, keyring, clock

    async def issue(self, principal: Principal, customer: str) -> FreshCode:
        """Make a code for a customer who has shown who they are; an earlier one is void.

        Raises:
            AccessDeniedError: The caller is no service with `presence:write`.
            NotFoundError: There is no such customer.
        """
        is_service = principal.kind is ActorKind.SERVICE and principal.role is Role.SERVICE
        if "presence:write" not in principal.scopes or not is_service:
            raise AccessDeniedError("only the customer's own app or menu gets codes")
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"

        def work(tx: Transaction) -> None:
            if tx.rows.subject(principal.tenant, customer) is None:
                raise NotFoundError(
                    "there is no such customer: use the reference from the CRM sync"
                )
            at = max(self._clock.now(), tx.rows.newest_at())
            earlier = tx.rows.live_code(principal.tenant, customer, at)
            if earlier is not None:
                tx.rows.put_presence_code(replace(earlier, expires_at=at))
            code_id = "code-" + secrets.token_hex(8)
            row = PresenceCodeRow(
                id=code_id,
                tenant=principal.tenant,
                ref=customer,
                digest=self._digest(principal.tenant, customer, code),
                expires_at=at + CODE_LIFE,
                tries=0,
                used_at=None,
            )
            tx.rows.put_presence_code(row)
            body: dict[str, BodyValue] = {"code": code_id, "until": row.expires_at}
            event = event_by(principal, EntryKind.GRANT, at)
            _record(tx, event, "issued", body, SubjectPart(customer=customer))

        await self._committer.run(work)
        return FreshCode(code=code, expires_in_s=CODE_LIFE // SECOND)

    async def claim(
        self, principal: Principal, customer: str, code: str, case: str | None = None
    ) -> GrantRow:
        """Take the code that the customer said; the grant is in force when this returns.

        Raises:
            InvalidRequestError: The code has another form.
            AccessDeniedError: The caller may not, guessed too often, or the code does not hold.
        """
        is_person = principal.kind is ActorKind.HUMAN and principal.actor is None
        if principal.role not in _MAY_CLAIM or not is_person:
            raise AccessDeniedError("an agent, lead or manager takes a customer's code")
        if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
            raise InvalidRequestError(f"a code has {DIGITS} digits: ask the customer again")
        said = self._digest(principal.tenant, customer, code)
        part = SubjectPart(customer=customer, case=case or "")
        answer = await self._committer.run(lambda tx: self._claim(tx, principal, said, part))
        if isinstance(answer, GrantRow):
            return answer
        raise AccessDeniedError(answer)

    def _claim(
        self, tx: Transaction, principal: Principal, said: bytes, part: SubjectPart
    ) -> GrantRow | str:
        at = max(self._clock.now(), tx.rows.newest_at())
        is_known = tx.rows.subject(principal.tenant, part.customer) is not None
        row = tx.rows.live_code(principal.tenant, part.customer, at)
        state = tx.rows.lock_budgets({_key(principal)}, (), at)
        limits, event = _limits(principal), event_by(principal, EntryKind.GRANT, at)
        if peek(state, limits, part.customer, at) is not None:
            _record(tx, event, "refused", {"why": "limit"}, part if is_known else None)
            return "too many wrong codes: wait an hour, and ask your lead if it stays"
        # Compared even where there is nothing to compare with, so that it takes the same time.
        holds = compare_digest(said, _NOTHING if row is None else row.digest)
        if row is not None and holds and row.tries < TRIES:
            checked = event_by(principal, EntryKind.CASE, at)
            cases = own_cases(tx, principal, checked, part.customer)
            check(tx, checked, part.customer, cases, CODE)
            return _opened(tx, principal, row, part, at)
        if row is not None:
            tx.rows.put_presence_code(replace(row, tries=row.tries + 1))
        charges: tuple[Charge, ...] = ()
        if is_known:
            # A charge is rebuilt from its entry's customer; a stranger's reference opens nothing.
            spent = consume(state, limits, part.customer, at)
            charges = spent.charges if isinstance(spent, Spent) else ()
            tx.rows.save_budgets(state)
        _record(tx, event, "refused", {"why": "code"}, part if is_known else None, charges)
        return "this code does not hold: ask the customer for a new one"

    def _digest(self, tenant: str, customer: str, code: str) -> bytes:
        """What stands for a code in the store: nothing to whoever lacks the tenant's key."""
        key = self._keyring.derived(tenant, "presence")
        return digest(key, f"{customer}\0{code}".encode(), "sha256")


def _opened(
    tx: Transaction, principal: Principal, code: PresenceCodeRow, part: SubjectPart, at: Micros
) -> GrantRow:
    tx.rows.put_presence_code(replace(code, used_at=at))
    row = GrantRow(
        id="present-" + secrets.token_hex(8),
        tenant=principal.tenant,
        kind=_KIND,
        agent_id=principal.id,
        ref=code.ref,
        reason_code="",
        starts_at=at,
        ends_at=at + OPEN_FOR,
    )
    tx.rows.put_grant(row)
    body: dict[str, BodyValue] = {"grant": row.id, "code": code.id, "until": row.ends_at}
    _record(tx, event_by(principal, EntryKind.GRANT, at), "opened", body, part)
    return row


def _record(
    tx: Transaction,
    event: EventPart,
    state: str,
    body: dict[str, BodyValue],
    part: SubjectPart | None,
    charges: tuple[Charge, ...] = (),
) -> None:
    event = msgspec.structs.replace(
        event,
        outcome="refused" if state == "refused" else "",
        charges=charges,
        body={"kind": _KIND.value, "state": state, "agent": event.agent, **body},
    )
    subjects = () if part is None else (part,)
    tx.record(NewEntry(kind=EntryKind.GRANT, event=event, subjects=subjects))


def _key(principal: Principal) -> str:
    return f"{principal.agent_key}#presence"


def _limits(principal: Principal) -> tuple[Binding, ...]:
    """How many wrong codes one agent may type."""
    return tuple(
        Binding(
            budget=Budget(
                name="presence-wrong-codes",
                measure=Measure.VERIFICATIONS,
                key=BudgetKey.AGENT,
                window=window,
                limit=limit,
                kind=None,
                purpose=None,
                by_risk={},
            ),
            key=_key(principal),
            limit=limit,
        )
        for window, limit in ((Window.HOUR, WRONG_AN_HOUR), (Window.DAY, WRONG_A_DAY))
    )
