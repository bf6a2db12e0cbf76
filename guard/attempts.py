"""One try at a view: what was read of it so far, and every entry that it can end in."""

from dataclasses import dataclass

import msgspec

from guard.clock import Micros
from guard.entries import EntryKind, EventPart, NewEntry, Outcome, Receipt, SubjectPart
from guard.in_force import InForce
from guard.principals import Principal
from guard.rows import Situation
from guard.views import RefusalCode, Refused, ViewRequest
from policies.model import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing is shown: the code for the tool, sentences for the person, the deciding ids."""

    code: RefusalCode
    reasons: tuple[str, ...]
    determined_by: tuple[str, ...]

    def answer(self, receipt: Receipt) -> Refused:
        """The answer, once its entry is durable."""
        return Refused(
            code=self.code,
            reasons=self.reasons,
            determined_by=self.determined_by,
            receipt=receipt,
        )


def over_budget(names: tuple[str, ...]) -> Refusal:
    """The refusal for spent budgets."""
    reasons = tuple(f"the budget `{name}` is spent: wait, or ask for a lift" for name in names)
    return Refusal(code=RefusalCode.QUOTA, reasons=reasons, determined_by=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one try has found out."""

    principal: Principal
    request: ViewRequest
    at: Micros
    situation: Situation
    event: EventPart
    in_force: InForce

    @property
    def enforces(self) -> bool:
        """Whether the decision and the budgets are carried out, and not only recorded."""
        return self.situation.mode is Mode.ENFORCE

    def shown(self) -> NewEntry:
        """The entry of a view that is shown."""
        return self._entry(EntryKind.VIEW, Outcome.PERMITTED)

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
        """The entry for spent budgets: a refusal, or where nothing is refused, the view."""
        if self.enforces:
            return self.refused(over_budget(names))
        return self._entry(EntryKind.VIEW, Outcome.PERMITTED, would="refused", reasons=names)

    def failed(self, error: BaseException) -> NewEntry:
        """The entry of a view that was permitted and could not be fetched."""
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
        subject = self.situation.subject
        if subject is None:
            return NewEntry(kind=kind, event=event)
        part = SubjectPart(
            customer=subject.ref, case=self.request.case or "", reason=self.request.reason or ""
        )
        return NewEntry(kind=kind, event=event, subjects=(part,))
