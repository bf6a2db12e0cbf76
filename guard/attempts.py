"""One try at an act: what was read for it so far, and every entry that it can end in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import msgspec

from guard.clock import Micros
from guard.entries import BodyValue, EntryKind, EventPart, NewEntry, Outcome, Receipt, SubjectPart
from guard.in_force import InForce
from guard.principals import Principal
from guard.rows import Situation
from guard.views import NextStep, RefusalCode, Refused, ViewRequest
from policies.model import Act, Mode

# The entry of an act that was carried out.
KINDS: Mapping[Act, EntryKind] = MappingProxyType(
    {
        Act.VIEW: EntryKind.VIEW,
        Act.REVEAL: EntryKind.REVEAL,
        Act.LIST: EntryKind.LISTED,
        Act.SEARCH: EntryKind.SEARCH,
        Act.VERIFY: EntryKind.VERIFICATION,
        Act.CONTACT: EntryKind.CONTACT,
    }
)
# Acts that could be repeated until a mask is guessed or lifted: their budgets hold wherever
# anything is masked. A search that hits says that the whole identifier is this customer's.
_KEEP_THE_MASK = frozenset({Act.REVEAL, Act.VERIFY, Act.SEARCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing is shown: the code for the tool, sentences for the person, the deciding ids.

    `next` may stay empty: then what the code offers is offered.
    """

    code: RefusalCode
    reasons: tuple[str, ...]
    determined_by: tuple[str, ...]
    next: tuple[NextStep, ...] = ()

    def answer(self, receipt: Receipt) -> Refused:
        """The answer, once its entry is durable."""
        return Refused(
            code=self.code,
            reasons=self.reasons,
            determined_by=self.determined_by,
            receipt=receipt,
            next=self.next,
        )


def over_budget(names: tuple[str, ...]) -> Refusal:
    """The refusal for spent budgets."""
    reasons = tuple(f"the budget `{name}` is spent: wait, or ask for a lift" for name in names)
    return Refusal(code=RefusalCode.QUOTA, reasons=reasons, determined_by=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one try has found out; `bound` is the case found for one that named none."""

    principal: Principal
    request: ViewRequest
    at: Micros
    situation: Situation
    event: EventPart
    in_force: InForce
    act: Act = Act.VIEW
    bound: str | None = None

    @property
    def enforces(self) -> bool:
        """Whether the decision is carried out, and not only recorded."""
        return self.situation.mode is Mode.ENFORCE

    @property
    def meters(self) -> bool:
        """Whether a spent budget refuses, and is not only recorded."""
        masks = self.situation.mode is not Mode.OBSERVE
        return self.enforces or (masks and self.act in _KEEP_THE_MASK)

    @property
    def case(self) -> str:
        """The case that was named, or else the one that was bound; empty: neither."""
        return self.request.case or self.bound or ""

    @property
    def _known_case(self) -> str:
        """The case by the name that its own entries have; empty: what was typed is none."""
        named = self.situation.case
        return self.bound or "" if named is None else named.id

    def with_event(self, **changes: object) -> "Attempt":
        """The same try with more known about it."""
        return replace(self, event=msgspec.structs.replace(self.event, **changes))

    def with_body(self, **more: BodyValue) -> "Attempt":
        """The same try with more of what is particular to its kind."""
        return self.with_event(body={**self.event.body, **more})

    def shown(self) -> NewEntry:
        """The entry of an act that is carried out."""
        return self._entry(KINDS[self.act], Outcome.PERMITTED)

    def refused(self, refusal: Refusal) -> NewEntry:
        """The entry of a refusal: nothing was shown, whatever had been planned."""
        return self._entry(
            EntryKind.REFUSAL,
            Outcome.REFUSED,
            reasons=refusal.reasons,
            determined_by=tuple(dict.fromkeys((*self.event.determined_by, *refusal.determined_by))),
            classes={},
            n_fields=0,
            n_sensitive=0,
            body={**self.event.body, "code": refusal.code.value},
        )

    def exceeded(self, names: tuple[str, ...]) -> NewEntry:
        """The entry for spent budgets: a refusal, or where nothing is refused, the act."""
        if self.meters:
            return self.refused(over_budget(names))
        return self._entry(KINDS[self.act], Outcome.PERMITTED, would="refused", reasons=names)

    def failed(self, error: BaseException) -> NewEntry:
        """The entry of an act that was permitted and could not be carried out."""
        return self._entry(
            EntryKind.FAILED,
            Outcome.FAILED,
            reasons=(type(error).__name__,),
            classes={},
            n_fields=0,
            n_sensitive=0,
        )

    def _entry(self, kind: EntryKind, outcome: Outcome, **changes: object) -> NewEntry:
        event = msgspec.structs.replace(
            self.event, kind=kind.name.lower(), outcome=outcome.value, **changes
        )
        if known := self._known_case:
            # What detectors know of the case outlives an erasure; what was typed does not.
            event = msgspec.structs.replace(event, body={**event.body, "case": known})
        subject = self.situation.subject
        if subject is None:
            return NewEntry(kind=kind, event=event)
        part = SubjectPart(customer=subject.ref, case=self.case, reason=self.request.reason or "")
        return NewEntry(kind=kind, event=event, subjects=(part,))
