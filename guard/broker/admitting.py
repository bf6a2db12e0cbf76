"""Admit: one transaction that consumes the budgets and appends the entry, or neither.

Who was over a budget a moment ago is refused before the fetch; whether somebody is over it now is
decided by the admission alone, on locked rows.
"""

from dataclasses import replace

from guard import admission
from guard.admission import Admission, Admitted
from guard.attempts import Attempt
from guard.broker.charging import own_statuses, refused_by_budget
from guard.broker.deciding import SUSPENDED
from guard.broker.parts import Parts
from guard.broker.recording import Recording
from guard.clock import Micros
from guard.quotas import Binding, peek, statuses
from guard.views import Refused

# Budget keys whose being spent is remembered, so that the next request is refused before its fetch.
MAX_SPENT = 10_000


class Admitting:
    """Charges and appends what is carried out. One per broker."""

    def __init__(self, parts: Parts, recording: Recording) -> None:
        """Admit by these parts; a refusal before the fetch goes to `recording`."""
        self._parts, self._recording = parts, recording
        self._spent_until: dict[str, Micros] = {}

    async def peek(
        self, attempt: Attempt, bindings: tuple[Binding, ...], counted_as: str
    ) -> Refused | None:
        """Refuse before the fetch who was over budget a moment ago and still is.

        Everybody else is spared the read: admission decides, exactly.
        """
        keys = {binding.key for binding in bindings}
        if not attempt.meters or all(self._spent_until.get(k, 0) <= attempt.at for k in keys):
            return None
        pairs = {(key, counted_as) for key in keys}
        state = await self._parts.readers.read(lambda v: v.budget_state(keys, pairs, attempt.at))
        over = peek(state, bindings, counted_as, attempt.at)
        if over is None:
            return None
        left = statuses(state, bindings, attempt.at)
        receipt = await self._recording.record(attempt.exceeded(over.budgets))
        return refused_by_budget(bindings, left, over.budgets, receipt)

    async def admit(
        self,
        attempt: Attempt,
        bindings: tuple[Binding, ...],
        counted_as: str,
        done: Attempt | None = None,
    ) -> Admitted | Refused | Attempt:
        """Steps 7: consume and append, or say why not; the attempt itself: decide again.

        `done` is what the entry says if the act is carried out, where a refusal says less.
        """
        done = done or attempt
        answer = await self._parts.committer.admit(
            Admission(
                keys=attempt.principal.keys,
                risk=attempt.situation.risk,
                bindings=bindings,
                ref=counted_as,
                entry=done.shown(),
                suspended=attempt.refused(SUSPENDED),
                exceeded=(attempt if attempt.meters else done).exceeded,
                is_enforced=attempt.meters,
            )
        )
        match answer:
            case admission.Admitted():
                return replace(answer, statuses=own_statuses(bindings, answer.statuses))
            case admission.Refused():
                self._remember_spent(bindings, answer.retry_at)
                return refused_by_budget(bindings, answer.statuses, answer.exceeded, answer.receipt)
            case admission.Suspended():
                return SUSPENDED.answer(answer.receipt)
            case admission.Stale():
                return attempt

    def _remember_spent(self, bindings: tuple[Binding, ...], until: Micros) -> None:
        if len(self._spent_until) >= MAX_SPENT:
            self._spent_until.clear()
        self._spent_until |= {binding.key: until for binding in bindings}
