"""Taking a customer's own values out of what they wrote, before a desk shows or stores it.

An inbound message often holds what the desk must not see: the customer's own number, address, card.
The text comes back without this customer's sensitive values and without whatever looks like an
identifier. It is the way back of an answer, so only a service may ask: with a text of guesses an
agent could read from the gaps which of them were right. For the same reason it is budgeted, for the
service and for each customer, and every text is an entry: who, whose, how much was taken, no word
of it.
"""

import asyncio
import re
from dataclasses import dataclass, replace

import msgspec

from guard import admission
from guard.admission import Admission, GroupCommitter
from guard.attempts import Refusal, over_budget
from guard.clock import Clock
from guard.entries import EntryKind, EventPart, NewEntry, Outcome, Receipt, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, StoreUnavailableError
from guard.facts import situation_query
from guard.in_force import Policies
from guard.masking.narrowing import narrowed, sensitive_fields
from guard.masking.prose import redact
from guard.masking.scalars import MAX_TEXT
from guard.ports import Readers
from guard.principals import Principal
from guard.quotas import Binding, bind_measure
from guard.rows import Situation, SubjectRow
from guard.source_reads import noted, noting
from guard.system_reads import SystemReads
from guard.vault.keyring import Keyring
from guard.views import RefusalCode, Refused
from policies.catalogue import Catalogue
from policies.model import ActorKind, BudgetKey, Measure, Risk, Role

SCOPE = "redactions:write"

# What masking leaves where it has taken something: `[hidden]`, `[card]`, `[email]`...
_MARK = re.compile(r"\[[a-z]+\]")

SUSPENDED = Refusal(
    code=RefusalCode.SUSPENDED,
    reasons=("this service is suspended while a review is under way",),
    determined_by=("suspended",),
)
UNKNOWN_CUSTOMER = Refusal(
    code=RefusalCode.UNKNOWN_CUSTOMER,
    reasons=("there is no such customer: use the reference that came with the case",),
    determined_by=("unknown-customer",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionRequest:
    """A text of one customer. It never prints the text."""

    customer: str
    text: str
    case: str | None = None

    def __repr__(self) -> str:
        """Show whose, and how long."""
        return f"RedactionRequest(customer={self.customer!r}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The text without what must not be seen; `taken` counts the places."""

    text: str
    taken: int
    receipt: Receipt

    def __repr__(self) -> str:
        """Show how much was taken."""
        return f"Redacted({self.taken} places)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One request with what the store knows, and every entry that it can end in."""

    event: EventPart
    request: RedactionRequest
    situation: Situation
    subject: SubjectRow | None
    reads: tuple[int, ...] = ()

    def ended(self, kind: EntryKind, outcome: Outcome, **changes: object) -> NewEntry:
        """The entry of an end."""
        event = msgspec.structs.replace(
            self.event, kind=kind.name.lower(), outcome=outcome.value, **changes
        )
        if self.reads:
            body = {**event.body, "reads": list(self.reads)}
            event = msgspec.structs.replace(event, body=body)
        if self.subject is None:
            return NewEntry(kind=kind, event=event)
        part = SubjectPart(customer=self.subject.ref, case=self.request.case or "")
        return NewEntry(kind=kind, event=event, subjects=(part,))

    def refused(self, refusal: Refusal) -> NewEntry:
        """The entry of a refusal."""
        return self.ended(
            EntryKind.REFUSAL,
            Outcome.REFUSED,
            reasons=refusal.reasons,
            determined_by=refusal.determined_by,
            body={"code": refusal.code.value, "what": "redaction"},
        )


class Redactions:
    """Redacts texts for services."""

    def __init__(
        self,
        *,
        readers: Readers,
        committer: GroupCommitter,
        reads: SystemReads,
        keyring: Keyring,
        policies: Policies,
        clock: Clock,
    ) -> None:
        """Redact what customers wrote, with their records from `reads`."""
        self._readers, self._committer, self._reads = readers, committer, reads
        self._keyring, self._policies, self._clock = keyring, policies, clock

    async def redact(self, principal: Principal, request: RedactionRequest) -> Redacted | Refused:
        """Redact one text, or refuse; either is an entry before this returns.

        Raises:
            AccessDeniedError: The caller is no service, or lacks `redactions:write`.
            InvalidRequestError: The text is too long.
            SourceError: The customer's record could not be read; that is an entry too.
            KeyUnavailableError: The customer's key is gone; that is an entry too.
            StoreUnavailableError: No entry could be made durable in time.
        """
        _check(principal, request)
        at = self._clock.now()
        bundle = self._policies.of(principal.tenant).engine.bundle
        situation = await self._readers.situation(
            situation_query(principal, None, request.customer, request.case, at)
        )
        event = event_by(principal, EntryKind.REDACTION, at)
        asked = _Asked(
            event=msgspec.structs.replace(event, bundle=bundle.digest),
            request=request,
            situation=situation,
            subject=situation.subject,
        )
        if situation.is_suspended:
            return await self._refuse(asked, SUSPENDED)
        if situation.subject is None:
            return await self._refuse(asked, UNKNOWN_CUSTOMER)
        with noting():
            text = await self._redacted(asked, situation.subject, bundle.catalogue)
            asked = replace(asked, reads=tuple(noted()))
        counted = self._keyring.counted_as(situation.subject)
        return await self._admit(principal, asked, counted, text)

    async def _redacted(self, asked: _Asked, subject: SubjectRow, catalogue: Catalogue) -> str:
        try:
            raw = await self._reads.read(subject, sensitive_fields(catalogue))
            own = None if raw is None else narrowed(raw, catalogue)
            # Linear, and still some milliseconds for the longest text: not on the loop.
            return await asyncio.to_thread(redact, asked.request.text, own)
        except BaseException as error:
            # Also for a caller who went away: what was asked of the source is in the log.
            await asyncio.shield(self._fail(replace(asked, reads=tuple(noted())), error))
            raise

    async def _fail(self, asked: _Asked, error: BaseException) -> None:
        failed = asked.ended(
            EntryKind.FAILED,
            Outcome.FAILED,
            reasons=(type(error).__name__,),
            body={"what": "redaction"},
        )
        await self._committer.run(lambda tx: tx.record(failed))

    async def _admit(
        self, principal: Principal, asked: _Asked, counted_as: str, text: str
    ) -> Redacted | Refused:
        taken = max(0, len(_MARK.findall(text)) - len(_MARK.findall(asked.request.text)))
        counts = {"chars": len(asked.request.text), "taken": taken}
        answer = await self._committer.admit(
            Admission(
                keys=principal.keys,
                risk=asked.situation.risk,
                bindings=self._bindings(principal, asked.situation.risk, counted_as),
                ref=counted_as,
                entry=asked.ended(EntryKind.REDACTION, Outcome.PERMITTED, body=counts),
                suspended=asked.refused(SUSPENDED),
                exceeded=lambda names: asked.refused(over_budget(names)),
            )
        )
        match answer:
            case admission.Admitted():
                return Redacted(text=text, taken=taken, receipt=answer.receipt)
            case admission.Refused():
                refused = over_budget(answer.exceeded).answer(answer.receipt)
                return replace(refused, exceeded=answer.exceeded, retry_at=answer.retry_at)
            case admission.Suspended():
                return SUSPENDED.answer(answer.receipt)
            case admission.Stale():
                changed = StoreUnavailableError("the caller's standing has just changed, try again")
                await self._fail(asked, changed)
                raise changed

    def _bindings(self, principal: Principal, risk: Risk, counted_as: str) -> tuple[Binding, ...]:
        keys = {
            BudgetKey.AGENT: principal.agent_key,
            BudgetKey.CUSTOMER: f"customer:{principal.tenant}/{counted_as}",
        }
        budgets = self._policies.of(principal.tenant).engine.bundle.budgets
        return bind_measure(budgets, Measure.REDACTIONS, keys=keys, kind=principal.kind, risk=risk)

    async def _refuse(self, asked: _Asked, refusal: Refusal) -> Refused:
        entry = asked.refused(refusal)
        return refusal.answer(await self._committer.run(lambda tx: tx.record(entry)))


def _check(principal: Principal, request: RedactionRequest) -> None:
    is_service = principal.role is Role.SERVICE and principal.kind is ActorKind.SERVICE
    if not is_service or principal.actor is not None:
        raise AccessDeniedError("only a service may have texts redacted: agents see them redacted")
    if SCOPE not in principal.scopes:
        raise AccessDeniedError(f"this credential may not have texts redacted: `{SCOPE}`")
    if len(request.text) > MAX_TEXT:
        raise InvalidRequestError(f"a text has at most {MAX_TEXT} characters: split it")
