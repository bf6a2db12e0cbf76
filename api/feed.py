"""From opened ledger entries to what detectors see.

The one translation between the two vocabularies. Detectors know `guard.events` only; the ledger
knows entries, whose `body` holds what is particular to a kind (`docs/formats/bodies.md`). An entry
that says nothing about the floor (a checkpointing writer, a sign-in, an alert of our own) yields
no event.

What an AI agent looks at is the AI agent's own event, compared with other AI agents and stopped by
a response against it; the entry behind it names the human for whom it acted.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from guard.clock import Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, EventPart, OpenedEntry, Outcome, SubjectPart
from guard.events import (
    AccessAction,
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    DisputeEvent,
    FloorEvent,
    LateLinkEvent,
    ProfileEvent,
    ReviewEvent,
)
from guard.views import RefusalCode
from policies.model import Act, Link, Purpose

E = TypeVar("E", bound=StrEnum)

_OUTCOMES: Mapping[EntryKind, Outcome] = {
    EntryKind.REFUSAL: Outcome.REFUSED,
    EntryKind.FAILED: Outcome.FAILED,
}


def _text(body: Mapping[str, BodyValue], name: str, default: str = "") -> str:
    value = body.get(name)
    return value if isinstance(value, str) else default


def _maybe(body: Mapping[str, BodyValue], name: str) -> str | None:
    return _text(body, name) or None


def _flag(body: Mapping[str, BodyValue], name: str) -> bool | None:
    value = body.get(name)
    return value if isinstance(value, bool) else None


def _whole(body: Mapping[str, BodyValue], name: str) -> int | None:
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _one_of(kind: type[E], name: str, otherwise: E) -> E:
    # A later release may know more names; a link that this one does not know explains nothing.
    return kind(name) if name in kind.__members__.values() else otherwise


_OWN_ACTIONS: Mapping[EntryKind, AccessAction] = {
    EntryKind.EXPORT: AccessAction.EXPORT,
    EntryKind.LISTED: AccessAction.LIST,
    EntryKind.REVEAL: AccessAction.REVEAL,
    EntryKind.SEARCH: AccessAction.SEARCH,
    EntryKind.VERIFICATION: AccessAction.VERIFY,
}
# A refused or failed act, by what was asked. A contact shows no record and finds nobody: it is no
# look at a customer, whether it was carried out or not.
_ASKED: Mapping[str, AccessAction] = {
    Act.VIEW.value: AccessAction.VIEW,
    Act.LIST.value: AccessAction.LIST,
    Act.REVEAL.value: AccessAction.REVEAL,
    Act.SEARCH.value: AccessAction.SEARCH,
    Act.VERIFY.value: AccessAction.VERIFY,
}


def _action(entry: OpenedEntry) -> AccessAction:
    if entry.kind in _OWN_ACTIONS:
        return _OWN_ACTIONS[entry.kind]
    if entry.kind in _OUTCOMES:
        return _ASKED.get(entry.event.act, AccessAction.VIEW)
    return _one_of(AccessAction, _text(entry.event.body, "action"), AccessAction.VIEW)


def _accesses(entry: OpenedEntry) -> list[FloorEvent]:
    """One event per customer of the entry; an erased subject part leaves the reference."""
    e = entry.event
    if entry.kind is EntryKind.EXPORT and e.agent == SYSTEM:
        # A live push that the operator declared is nobody's look at a customer.
        return []
    default = _OUTCOMES.get(entry.kind, Outcome.PERMITTED)
    if entry.kind is EntryKind.REFUSAL and _text(e.body, "code") == RefusalCode.UNKNOWN_CUSTOMER:
        return [_guess(entry)]
    if entry.kind in _OUTCOMES and e.act not in _ASKED and not _is_decoy(entry):
        return []
    return [
        AccessEvent(
            position=entry.index,
            ts=e.at,
            agent_id=e.actor or e.agent,
            customer_id=ref,
            action=_action(entry),
            case_id=_case_of(entry, part),
            purpose=e.purpose or None,
            link=_one_of(Link, e.link, Link.NONE),
            n_fields=e.n_fields,
            n_sensitive=e.n_sensitive,
            # Of a verification: whether what was said is right.
            result_count=0 if _flag(e.body, "matched") is False else 1,
            device=e.device or None,
            session=e.session or None,
            outcome=e.outcome or default.value,
            tier=e.tier or "standard",
            walk=e.walk,
            on_shift=_flag(e.body, "on_shift"),
            is_decoy=_is_decoy(entry),
        )
        for ref, part in zip(entry.refs, entry.subjects, strict=True)
    ]


def _case_of(entry: OpenedEntry, part: SubjectPart | None) -> str | None:
    """The case that was named; of an erased customer, the one that entries of cases name too."""
    return _maybe(entry.event.body, "case") if part is None else part.case or None


def _is_decoy(entry: OpenedEntry) -> bool:
    return _flag(entry.event.body, "decoy") is True


def _unseen(entry: OpenedEntry) -> list[FloorEvent]:
    """What shows no whole record is no look, except at a decoy: no honest work leads there."""
    return _accesses(entry) if _is_decoy(entry) else []


def _guess(entry: OpenedEntry) -> FloorEvent:
    """A reference that is nobody's: to the detectors, a search that found nobody."""
    e = entry.event
    return AccessEvent(
        position=entry.index,
        ts=e.at,
        agent_id=e.actor or e.agent,
        customer_id="",
        action=AccessAction.SEARCH,
        purpose=e.purpose or None,
        result_count=0,
        device=e.device or None,
        session=e.session or None,
        outcome=Outcome.REFUSED.value,
    )


def _grants(entry: OpenedEntry) -> list[FloorEvent]:
    """A break-glass that was given or refused is a look by itself; other grants are none."""
    e = entry.event
    state = _text(e.body, "state")
    if _text(e.body, "kind") != Link.BREAK_GLASS or state not in {"opened", "refused"}:
        return []
    if not entry.refs:
        return [_guess(entry)]
    outcome = Outcome.PERMITTED if state == "opened" else Outcome.REFUSED
    return [
        AccessEvent(
            position=entry.index,
            ts=e.at,
            agent_id=e.actor or e.agent,
            customer_id=ref,
            case_id=_case_of(entry, part),
            purpose=Purpose.BREAK_GLASS.value,
            link=Link.BREAK_GLASS,
            session=e.session or None,
            outcome=outcome.value,
        )
        for ref, part in zip(entry.refs, entry.subjects, strict=True)
    ]


def _searches(entry: OpenedEntry) -> list[FloorEvent]:
    """One event whether it found somebody or not; nobody is named who was not told."""
    e = entry.event
    found = _accesses(entry)
    return found or [
        AccessEvent(
            position=entry.index,
            ts=e.at,
            agent_id=e.actor or e.agent,
            customer_id="",
            action=AccessAction.SEARCH,
            purpose=e.purpose or None,
            result_count=_whole(e.body, "result_count") or 0,
            device=e.device or None,
            session=e.session or None,
            outcome=e.outcome,
            on_shift=_flag(e.body, "on_shift"),
            is_decoy=_is_decoy(entry),
        )
    ]


def _cases(entry: OpenedEntry) -> list[FloorEvent]:
    body = entry.event.body
    if _flag(body, "ignored") is True:
        return []
    return [
        CaseEvent(
            position=entry.index,
            ts=entry.event.at,
            case_id=_text(body, "case"),
            customer_id=ref,
            opened_by=_maybe(body, "opened_by"),
            channel=_text(body, "channel"),
            is_open=_flag(body, "open") is not False,
        )
        for ref in entry.refs
    ]


def _assignments(entry: OpenedEntry) -> list[FloorEvent]:
    body = entry.event.body
    return [
        AssignmentEvent(
            position=entry.index,
            ts=entry.event.at,
            case_id=_text(body, "case"),
            customer_id=ref,
            agent_id=_text(body, "agent"),
            how=_text(body, "how"),
            is_start=_flag(body, "start") is not False,
            until=_whole(body, "until"),
            late_links=_whole(body, "late_links"),
        )
        for ref in entry.refs
    ]


def _late_links(entry: OpenedEntry) -> list[FloorEvent]:
    body = entry.event.body
    of = _whole(body, "index")
    return [
        LateLinkEvent(
            position=entry.index,
            ts=entry.event.at,
            agent_id=_text(body, "agent"),
            customer_id=ref,
            of=-1 if of is None else of,
            link=_one_of(Link, _text(body, "link"), Link.NONE),
            case_id=_text(body, "case"),
            opened_by=_maybe(body, "case_opened_by"),
        )
        for ref in entry.refs
    ]


def _profiles(entry: OpenedEntry) -> list[FloorEvent]:
    body = entry.event.body
    profile = AgentProfile(
        agent_id=_text(body, "agent"),
        team=_text(body, "team"),
        role=_text(body, "role", "agent"),
        kind=_text(body, "kind", "human"),
        vendor=_text(body, "vendor"),
        site=_text(body, "site"),
        tz=_text(body, "tz", "UTC"),
        shift_start=_whole(body, "shift_start"),
        manager_id=_maybe(body, "manager"),
    )
    return [ProfileEvent(position=entry.index, ts=entry.event.at, profile=profile)]


def _review(
    index: int, at: Micros, who: str, *, by: str, what: str, alert: str | None
) -> FloorEvent:
    return ReviewEvent(position=index, ts=at, agent_id=who, by=by, what=what, alert_id=alert)


def _responses(entry: OpenedEntry) -> list[FloorEvent]:
    """`explained_only:on` when a rung begins, `…:off` when it ends or is lifted."""
    event = entry.event
    kind = _text(event.body, "kind", entry.kind.name.lower())
    turn = "off" if _flag(event.body, "active") is False else "on"
    by = _text(event.body, "by", event.agent)
    alert = _maybe(event.body, "alert")
    who = _text(event.body, "agent")
    return [_review(entry.index, event.at, who, by=by, what=f"{kind}:{turn}", alert=alert)]


def _labels(entry: OpenedEntry) -> list[FloorEvent]:
    """The state of the review (`confirmed`, `dismissed`...), for each agent of the alert."""
    event = entry.event
    alert, what = _maybe(event.body, "alert"), _text(event.body, "state")
    agents = event.body.get("agents")
    names = [a for a in agents if isinstance(a, str)] if isinstance(agents, list) else []
    return [
        _review(entry.index, event.at, name, by=event.agent, what=what, alert=alert)
        for name in names
    ]


def _disputes(entry: OpenedEntry) -> list[FloorEvent]:
    body = entry.event.body
    of = _whole(body, "index")
    return [
        DisputeEvent(
            position=entry.index,
            ts=entry.event.at,
            agent_id=_text(body, "agent"),
            customer_id=ref,
            of=-1 if of is None else of,
        )
        for ref in entry.refs
    ]


_BY_KIND: Mapping[EntryKind, Callable[[OpenedEntry], list[FloorEvent]]] = {
    EntryKind.VIEW: _accesses,
    EntryKind.REFUSAL: _accesses,
    EntryKind.FAILED: _accesses,
    EntryKind.REVEAL: _accesses,
    EntryKind.SEARCH: _searches,
    EntryKind.LISTED: _accesses,
    EntryKind.VERIFICATION: _accesses,
    EntryKind.CONTACT: _unseen,
    EntryKind.EXPORT: _accesses,
    EntryKind.OBSERVED: _accesses,
    EntryKind.CASE: _cases,
    EntryKind.ASSIGNMENT: _assignments,
    EntryKind.LATE_LINK: _late_links,
    EntryKind.GRANT: _grants,
    EntryKind.PRINCIPAL: _profiles,
    EntryKind.RESPONSE: _responses,
    EntryKind.SUSPENSION: _responses,
    EntryKind.LABEL: _labels,
    EntryKind.DISPUTE: _disputes,
}


def floor_events(entry: OpenedEntry) -> list[FloorEvent]:
    """What `entry` tells the detectors: nothing, one event, or one per customer or agent."""
    translate = _BY_KIND.get(entry.kind)
    return [] if translate is None else translate(entry)


def baseline_digest(event: EventPart) -> str:
    """The digest that a `BASELINE` entry names, empty if it names none."""
    return _text(event.body, "digest")
