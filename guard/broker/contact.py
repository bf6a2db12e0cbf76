"""A contact: a call, mail or message to a customer whose address the caller never sees.

First the intent is durable, with its budget; then the channel is called; then its outcome is an
entry too. An intent without an outcome, after a crash in between, means that nobody knows. Each of
several recipients is decided, charged, logged and written to apart, so that none learns of another.
The text goes to the channel and nowhere else; the address and what a channel says in its errors go
nowhere at all.

How a delivery ended tells whether the customer has an address of that kind at all. Whoever works
for the customer must know that a call is not possible, and is told; who has no explanation for it
(in a mode that refuses nothing) gets the same answer at the same moment whatever becomes of it.
"""

import asyncio
import unicodedata
from dataclasses import dataclass, replace

import msgspec

from guard.admission import Admitted
from guard.attempts import Attempt, Refusal
from guard.broker.deciding import Decided
from guard.broker.path import OnePath
from guard.broker.showing import within
from guard.entries import EntryKind, NewEntry, Outcome, Receipt
from guard.errors import (
    GuardError,
    InvalidRequestError,
    NotDeliveredError,
    StoreUnavailableError,
)
from guard.masking.handover import address as address_in
from guard.ports import ContactChannel, Message
from guard.principals import Principal
from guard.views import (
    Contacted,
    ContactRequest,
    DeliveryState,
    Failed,
    NextStep,
    RefusalCode,
    Refused,
    ViewRequest,
)
from policies.catalogue import FieldRule
from policies.model import Act, Link

CALL, MAIL, MESSAGE = "call", "mail", "message"
CHANNELS = (CALL, MAIL, MESSAGE)
MAX_SUBJECT, MAX_TEXT, MAX_CC = 200, 10_000, 10
MAX_CHANNEL_ID = 128
# Beyond the time that any channel takes to accept something.
DEADLINE_S = 30.0

# Links of somebody who works for the customer: they are told how a delivery ended.
TOLD = frozenset(
    {
        Link.OWNER,
        Link.TAKEN,
        Link.CLAIMED,
        Link.ESCALATION,
        Link.TRANSFER,
        Link.QA,
        Link.CAMPAIGN,
        Link.QUEUE,
    }
)

NO_CHANNEL = Refusal(
    code=RefusalCode.NO_CHANNEL,
    reasons=("customers cannot be reached this way here: use another channel",),
    determined_by=("no-channel",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """A contact that was admitted. `address` is None where the record has no usable one.

    `is_told`: whether the caller may know how it ends.
    """

    attempt: Attempt
    admitted: Admitted
    channel: ContactChannel
    address: str | None
    is_told: bool

    def __repr__(self) -> str:
        """Show nothing of the address."""
        return "_Intent(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How a delivery went; `error` is the kind of a failure, never its text."""

    state: DeliveryState
    channel_id: str = ""
    error: str = ""


async def contact(
    path: OnePath, principal: Principal, request: ContactRequest
) -> Contacted | Refused:
    """See `Broker.contact`."""
    _check(request)
    first = await _one(path, principal, request, request.customer)
    if isinstance(first, Refused):
        return first
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(_other(path, principal, request, ref)) for ref in request.cc]
    return replace(first, cc=tuple(task.result() for task in others))


async def _other(
    path: OnePath, principal: Principal, request: ContactRequest, ref: str
) -> Contacted | Refused | Failed:
    try:
        return await _one(path, principal, request, ref)
    except GuardError as error:
        return Failed(error=error)


async def _one(
    path: OnePath, principal: Principal, request: ContactRequest, ref: str
) -> Contacted | Refused:
    asked = ViewRequest(
        customer=ref,
        purpose=request.purpose,
        # The case is the first customer's; a copy needs a reason of its own.
        case=request.case if ref == request.customer else None,
        device=request.device,
    )

    async def once() -> _Intent | Refused | Attempt:
        return await _intend(path, principal, asked, request.channel)

    intent: _Intent | Refused = await path.settled(once)
    if isinstance(intent, Refused):
        return intent
    # A caller that goes away must not leave a message without its outcome.
    work = _carry_out(path, intent, request)
    if intent.is_told:
        return await path.recording.finished(work)
    path.recording.start(work)
    return _answer(intent, _Ended(state=DeliveryState.UNKNOWN), None)


async def _intend(
    path: OnePath, principal: Principal, asked: ViewRequest, name: str
) -> _Intent | Refused | Attempt:
    decided = await path.decide(principal, Act.CONTACT, asked)
    if isinstance(decided, Refused):
        return decided
    attempt = decided.attempt.with_event(would=decided.would).with_body(channel=name)
    decided = replace(decided, attempt=attempt)
    channel, rule = path.parts.channels.get(name), _rule(decided, name)
    if channel is None or rule is None:
        return await path.recording.refuse(attempt, NO_CHANNEL)
    address, attempt = await path.fetching.fetched(
        decided,
        frozenset({rule.path.partition(".")[0].removesuffix("[]")}),
        lambda raw: address_in(raw, rule),
    )
    admitted = await path.admitting.admit(attempt, decided.bindings, decided.counted_as)
    if not isinstance(admitted, Admitted):
        return admitted
    return _Intent(
        attempt=attempt,
        admitted=admitted,
        channel=channel,
        address=address,
        is_told=decided.facts.link in TOLD,
    )


def _rule(decided: Decided, channel: str) -> FieldRule | None:
    """The field that holds the channel's address, if the work list covers it."""
    known = decided.attempt.in_force.engine.bundle.catalogue.fields
    rule = next((r for r in known.values() if r.contact == channel), None)
    if rule is None or not within(known, (rule.path,), decided.limits.fields):
        return None
    return rule


async def _carry_out(path: OnePath, intent: _Intent, request: ContactRequest) -> Contacted:
    ended = await _deliver(intent, request)
    entry = _outcome(intent, request.channel, ended, path.parts.clock.now())
    delivery: Receipt | None
    try:
        delivery = await path.recording.record(entry)
    except StoreUnavailableError:
        # It is sent: an error would make the caller send it again.
        delivery = None
    return _answer(intent, ended, delivery)


def _answer(intent: _Intent, ended: _Ended, delivery: Receipt | None) -> Contacted:
    ref = intent.attempt.situation.subject
    return Contacted(
        customer="" if ref is None else ref.ref,
        state=ended.state,
        channel_id=ended.channel_id,
        would="refused" if intent.admitted.over else intent.attempt.event.would,
        budgets=intent.admitted.statuses,
        receipt=intent.admitted.receipt,
        delivery=delivery,
        next=_NEXT[ended.state],
    )


_NEXT = {
    DeliveryState.DELIVERED: (),
    DeliveryState.FAILED: (NextStep.OTHER_CHANNEL,),
    DeliveryState.UNKNOWN: (NextStep.ASK_SECOND_LINE,),
}


async def _deliver(intent: _Intent, request: ContactRequest) -> _Ended:
    if intent.address is None:
        return _Ended(state=DeliveryState.FAILED, error="NoAddress")
    message = Message(
        subject=request.subject,
        text=request.text,
        sender=intent.attempt.principal.id,
        reference=intent.admitted.receipt.entry_id,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            given = await intent.channel.deliver(intent.address, message)
    except NotDeliveredError as error:
        return _Ended(state=DeliveryState.FAILED, error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - it becomes the outcome; its text may hold the address
        return _Ended(state=DeliveryState.UNKNOWN, error=type(error).__name__)
    return _Ended(state=DeliveryState.DELIVERED, channel_id=without_address(given, intent.address))


def without_address(channel_id: str, address: str) -> str:
    """A channel's id of a message, if it can be shown: short, printable, and not the address."""
    if not channel_id.isascii() or not channel_id.isprintable():
        return ""
    name = address.rpartition("@")[0] or address
    digits = "".join(c for c in address if c.isdecimal())
    said = "".join(c for c in channel_id if c.isdecimal())
    named = name.casefold() in channel_id.casefold()
    dialled = "@" not in address and bool(digits) and digits in said
    return "" if named or dialled else channel_id[:MAX_CHANNEL_ID]


def _outcome(intent: _Intent, channel: str, ended: _Ended, at: int) -> NewEntry:
    kind = EntryKind.DELIVERY
    shown = intent.attempt.shown()
    delivered = ended.state is DeliveryState.DELIVERED
    event = msgspec.structs.replace(
        shown.event,
        at=at,
        kind=kind.name.lower(),
        outcome=(Outcome.PERMITTED if delivered else Outcome.FAILED).value,
        reasons=(ended.error,) if ended.error else (),
        body={
            "of": intent.admitted.receipt.entry_id,
            "channel": channel,
            "state": ended.state.value,
            "told": intent.is_told,
        },
    )
    return NewEntry(kind=kind, event=event, subjects=shown.subjects)


def _check(request: ContactRequest) -> None:
    """Refuse what no channel takes; nothing has been asked of anybody yet."""
    if request.channel not in CHANNELS:
        raise InvalidRequestError("`channel` must be one of " + ", ".join(CHANNELS))
    if request.channel == CALL and (request.subject or request.text):
        raise InvalidRequestError("a call has neither `subject` nor `text`")
    if request.channel != CALL and not request.text.strip():
        raise InvalidRequestError("a mail or message needs a `text`")
    if request.channel != MAIL and (request.subject or request.cc):
        raise InvalidRequestError("only a mail has a `subject` and `cc`")
    if len(request.cc) > MAX_CC or request.customer in request.cc:
        raise InvalidRequestError(f"`cc` names at most {MAX_CC} other customers")
    _check_words(request)


def _check_words(request: ContactRequest) -> None:
    """Refuse what a channel could take for a header, or a reader for another line."""
    if any(unicodedata.category(c) in _BREAKS for c in request.subject):
        raise InvalidRequestError("`subject` must be one line without control characters")
    if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t" for c in request.text):
        raise InvalidRequestError("`text` must hold no control characters but line breaks")
    if len(request.subject) > MAX_SUBJECT or len(request.text) > MAX_TEXT:
        raise InvalidRequestError(
            f"`subject` has at most {MAX_SUBJECT} characters and `text` {MAX_TEXT}"
        )


# Line and paragraph separators end a line in some readers; format characters turn it round.
_BREAKS = frozenset({"Cc", "Cf", "Zl", "Zp"})
