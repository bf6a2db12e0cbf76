"""Plays the day: what the floor planned, as requests of a hundred desks, on the domain clock.

Cases are put a little before they are due, as a ticket system knows of a call before the agent
does, and closed a little after; views are sent on time, each under its agent's own token. Only the
API is used, and everything that comes back is counted (`Tally`).
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx2

from api.cli.demo.case_book import CaseBook
from api.cli.demo.tally import Tally
from detectors.floor_actions import (
    HONEST,
    Action,
    Assigned,
    CaseClosed,
    CaseOpened,
    Transferred,
    View,
)
from guard.clock import SECOND, Clock, Micros
from guard.errors import UnavailableError

CONCURRENT = 32
# Real seconds by which cases run ahead, and by which closing one lags.
AHEAD_S, BEHIND_S = 0.4, 0.2
TICK_S = 0.05
MAX_BATCH = 100
# A 503 shows nothing and asks to come again.
RETRIES, AGAIN_S = 20, 0.25
REASON = "checked the number that the caller gave"

CaseAction = CaseOpened | Assigned | Transferred | CaseClosed


class Sequel:
    """What has to precede what: of each case, which steps and which views are still to come."""

    def __init__(self, actions: Sequence[Action]) -> None:
        """Know the plan."""
        self._steps: dict[str, deque[Micros]] = {}
        self._views: dict[str, list[Micros]] = {}
        for action in actions:
            if isinstance(action, View):
                if action.case_id is not None:
                    self._views.setdefault(action.case_id, []).append(action.at)
            elif not isinstance(action, CaseClosed):
                self._steps.setdefault(action.case_id, deque()).append(action.at)

    def may_view(self, view: View) -> bool:
        """Whether the ticket system has told all of the view's case that it builds on."""
        steps = self._steps.get(view.case_id or "")
        return not steps or steps[0] > view.at

    def may_step(self, action: CaseAction) -> bool:
        """Whether nobody is still at work on what the step would end."""
        if isinstance(action, CaseOpened | Assigned):
            return True
        return all(at > action.at for at in self._views.get(action.case_id, ()))

    def told(self, action: CaseAction) -> None:
        """A step has been answered."""
        if not isinstance(action, CaseClosed):
            self._steps[action.case_id].popleft()

    def viewed(self, view: View) -> None:
        """A view has been answered."""
        if view.case_id is not None:
            self._views[view.case_id].remove(view.at)


@dataclass(slots=True, kw_only=True)
class Day:
    """One day in the making; `play` runs it to its end."""

    client: httpx2.AsyncClient
    clock: Clock
    rate: float
    tokens: Mapping[str, str]
    sync_token: str
    refs: dict[int, str]
    tally: Tally
    _told: asyncio.Condition = field(default_factory=asyncio.Condition)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT))

    async def play(self, actions: Sequence[Action]) -> None:
        """Send everything when it is due; returns when the last answer is there."""
        sequel = Sequel(actions)
        async with asyncio.TaskGroup() as group:
            steps = [a for a in actions if not isinstance(a, View)]
            group.create_task(self._play_cases(steps, sequel))
            for view in (a for a in actions if isinstance(a, View)):
                wait = (view.at - self.clock.now()) / self.rate / SECOND
                if wait > 0:
                    await asyncio.sleep(wait)
                group.create_task(self._view(view, sequel))

    def _due(self, action: CaseAction) -> Micros:
        shift = BEHIND_S if isinstance(action, CaseClosed) else -AHEAD_S
        return action.at + round(shift * self.rate * SECOND)

    async def _play_cases(self, actions: Sequence[CaseAction], sequel: Sequel) -> None:
        """Tell the steps of all cases, each case's own in order; what must wait is told later."""
        book = CaseBook(self.refs)
        queue = sorted(actions, key=self._due)
        while queue:
            now = self.clock.now()
            told: list[CaseAction] = []
            later: list[CaseAction] = []
            held: set[str] = set()
            for n, action in enumerate(queue):
                if self._due(action) > now or len(told) >= MAX_BATCH:
                    later += queue[n:]
                    break
                if action.case_id in held or not sequel.may_step(action):
                    held.add(action.case_id)
                    later.append(action)
                else:
                    told.append(action)
            queue = later
            if not told:
                await asyncio.sleep(TICK_S)
                continue
            touched = dict.fromkeys(book.note(action, now) for action in told)
            await self._put([book.body(case_id) for case_id in touched])
            for action in told:
                sequel.told(action)
            async with self._told:
                self._told.notify_all()

    async def _put(self, cases: list[dict[str, object]]) -> None:
        """Put cases; one that the broker could not take now is put again, which changes nothing.

        Raises:
            UnavailableError: One was not taken after all tries.
        """
        for _ in range(1 + RETRIES):
            answer = await self._send("/v1/cases:batch", self.sync_token, {"cases": cases})
            items = answer.json()["items"] if answer.is_success else [{"problem": {}}] * len(cases)
            cases = [c for c, item in zip(cases, items, strict=True) if item["problem"] is not None]
            if not cases:
                return
            await asyncio.sleep(AGAIN_S)
        raise UnavailableError("the broker takes no cases any more: see serve.log in the folder")

    async def _view(self, view: View, sequel: Sequel) -> None:
        async with self._told:
            await self._told.wait_for(lambda: sequel.may_view(view))
        async with self._turns:
            if view.agent_id != self.tally.insider or not self.tally.stopped.is_set():
                await self._ask(view)
        sequel.viewed(view)

    async def _ask(self, view: View) -> None:
        is_honest_slip = view.case_id is None and view.truth == HONEST
        body = {
            "customer": self.refs[view.customer],
            "purpose": view.purpose.value,
            "case": view.case_id,
            "device": view.device or None,
            "reason": REASON if is_honest_slip else None,
        }
        answer = await self._send("/v1/views", self.tokens[view.agent_id], body)
        if answer.is_success:
            self.tally.count_served(view)
        elif answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
            self.tally.unavailable += 1
        else:
            self.tally.count_refused(view, str(answer.json().get("code", answer.status_code)))

    async def _send(self, path: str, token: str, body: Mapping[str, object]) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"}
        answer = await self.client.post(path, json=body, headers=headers)
        for _ in range(RETRIES):
            if answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(AGAIN_S)
            answer = await self.client.post(path, json=body, headers=headers)
        return answer
