"""A reveal: single fields of a view that the same person has just made, for some seconds.

It is decided anew on what is true now, so that a suspension, a closed case or a raised risk in
between bites. Whose view it is, of whom and for what comes from the view's own entry, never from
the caller; an entry that is not the caller's recent view is answered like one that does not exist.
"""

from dataclasses import dataclass, replace

from guard.attempts import Attempt, Refusal
from guard.broker.deciding import SUSPENDED, Decided
from guard.broker.path import OnePath
from guard.broker.showing import Showing, showing_of, within
from guard.clock import MINUTE, SECOND, Micros
from guard.entries import EntryKind, OpenedEntry
from guard.errors import InvalidRequestError
from guard.ledger.entry import open_entry
from guard.ports import DetailVault, ReadView
from guard.principals import Principal
from guard.views import (
    FieldNote,
    RefusalCode,
    Refused,
    Revealed,
    RevealRequest,
    Served,
    ViewRequest,
)
from policies.engine import NOT_SHOWN_REASON
from policies.model import Act, Form

MAX_FIELDS = 5
# A view older than this is no longer what is on the screen.
RECENT: Micros = 15 * MINUTE
# How long a revealed value stays on the screen.
LIFE: Micros = 30 * SECOND

UNKNOWN_VIEW = Refusal(
    code=RefusalCode.UNKNOWN_VIEW,
    reasons=("there is no recent view of yours by this id: view the record again",),
    determined_by=("unknown-view",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """The fields that were asked for, by whether they open."""

    opened: tuple[str, ...]
    closed: dict[str, Form]


async def reveal(
    path: OnePath, vault: DetailVault, principal: Principal, request: RevealRequest
) -> Revealed | Refused:
    """See `Broker.reveal`."""
    fields = tuple(dict.fromkeys(request.fields))
    if not 0 < len(fields) <= MAX_FIELDS:
        raise InvalidRequestError(f"a reveal opens 1 to {MAX_FIELDS} fields")
    if not request.reason.strip():
        raise InvalidRequestError("a reveal needs a `reason`")
    found = await path.parts.readers.read(lambda look: _find(look, vault, request.view))
    earlier = None if found is None else _of_view(found, principal, path.parts.clock.now())
    if earlier is None:
        return await _unknown(path, principal, request)
    asked = replace(earlier, fields=fields, reason=request.reason, device=request.device)

    async def once() -> Revealed | Refused | Attempt:
        return await _once(path, principal, asked, request.view)

    return await path.settled(once)


async def _once(
    path: OnePath, principal: Principal, asked: ViewRequest, view: str
) -> Revealed | Refused | Attempt:
    decided = await path.decide(principal, Act.REVEAL, asked)
    if isinstance(decided, Refused):
        return decided
    showing = showing_of(decided)
    fields = _sorted(decided, showing, asked.fields or ())
    closed = _closed(path, decided, showing, fields)
    decided = decided.with_body(of=view, fields=fields.opened)
    if not fields.opened:
        reasons = tuple(dict.fromkeys(note.why for note in closed))
        steps = tuple(dict.fromkeys(step for note in closed for step in note.next))
        refusal = Refusal(
            code=RefusalCode.NOT_REVEALED,
            reasons=reasons,
            determined_by=("not-revealed",),
            next=steps,
        )
        return await path.recording.refuse(decided.attempt, refusal)
    answer = await path.serve(decided, showing, fields.opened)
    if not isinstance(answer, Served):
        return answer
    return Revealed(
        shown=answer,
        refused=closed,
        expires_at=path.parts.clock.now() + LIFE,
        expires_in_s=LIFE // SECOND,
    )


def _sorted(decided: Decided, showing: Showing, fields: tuple[str, ...]) -> _Sorted:
    """A field opens if it is one of the catalogue, no group, and shows at least in part."""
    in_force = decided.attempt.in_force
    known = in_force.engine.bundle.catalogue.fields
    single = tuple(path for path in fields if path in known)
    plan = in_force.plans.plan(showing.forms, within(known, single, decided.limits.fields))
    forms = {path: plan.shown.get(path, Form.HIDE) for path in fields}
    return _Sorted(
        opened=tuple(path for path, form in forms.items() if form > Form.REDACT),
        closed={path: form for path, form in forms.items() if form <= Form.REDACT},
    )


def _closed(
    path: OnePath, decided: Decided, showing: Showing, fields: _Sorted
) -> tuple[FieldNote, ...]:
    """Why the other fields stay covered, and what to do instead."""
    known = decided.attempt.in_force.engine.bundle.catalogue.fields
    notes = {
        note.path: note
        for note in path.noting.notes(
            decided, showing, {p: f for p, f in fields.closed.items() if p in known}
        )
    }
    return tuple(_noted(notes.get(name), name) for name in fields.closed)


def _noted(note: FieldNote | None, name: str) -> FieldNote:
    if note is None:
        return FieldNote(path=name, cls="", form=Form.HIDE, why=NOT_SHOWN_REASON)
    return note if note.why else replace(note, why=NOT_SHOWN_REASON)


def _find(look: ReadView, vault: DetailVault, entry_id: str) -> OpenedEntry | None:
    try:
        stored = look.entry_of(bytes.fromhex(entry_id))
    except ValueError:
        return None
    if stored is None:
        return None
    return open_entry(stored, vault, look.subjects(stored.refs))


def _of_view(entry: OpenedEntry, principal: Principal, now: Micros) -> ViewRequest | None:
    """What the view asked for, if it is a recent one of this very principal."""
    event = entry.event
    mine = (event.tenant, event.agent, event.actor) == (
        principal.tenant,
        principal.id,
        principal.actor or "",
    )
    if entry.kind is not EntryKind.VIEW or not mine or now - event.at > RECENT:
        return None
    (part,) = entry.subjects
    if part is None:
        return None
    return ViewRequest(customer=part.customer, purpose=event.purpose, case=part.case or None)


async def _unknown(path: OnePath, principal: Principal, request: RevealRequest) -> Refused:
    nobody = ViewRequest(customer="", purpose="", reason=request.reason, device=request.device)
    attempt = await path.gathering.attempted(principal, Act.REVEAL, nobody)
    refusal = SUSPENDED if attempt.situation.is_suspended else UNKNOWN_VIEW
    return await path.recording.refuse(attempt, refusal)
