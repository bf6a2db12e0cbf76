"""Plays the day: what the floor planned, as requests of a hundred desks, on the domain clock.

Cases are put a little before they are due, as a ticket system knows of a call before the agent
does, and closed a little after; views are sent on time, each under its agent's own token. Only the
API is used, and everything that comes back is counted (`Tally`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TypeGuard

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

CONCURRENT = 32
# Real seconds by which cases run ahead, and by which closing one lags.
AHEAD_S, BEHIND_S = 0.4, 0.2
TICK_S = 0.1
MAX_BATCH = 100
# A 503 shows nothing and asks to come again.
RETRIES, AGAIN_S = 5, 0.2
REASON = "checked the number that the caller gave"

CaseAction = CaseOpened | Assigned | Transferred | CaseClosed


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
    _edge: float = -inf
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT))

    async def play(self, actions: Sequence[Action]) -> None:
        """Send everything when it is due; returns when the last answer is there."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._play_cases([a for a in actions if _is_case(a)]))
            for view in (a for a in actions if isinstance(a, View)):
                await self._until(view.at)
                await self._cases_known(view.at)
                if not (view.agent_id == self.tally.insider and self.tally.stopped.is_set()):
                    await self._turns.acquire()
                    group.create_task(self._view(view))

    async def _until(self, at: Micros) -> None:
        wait = (at - self.clock.now()) / self.rate / SECOND
        if wait > 0:
            await asyncio.sleep(wait)

    async def _cases_known(self, at: Micros) -> None:
        """Wait until every case change that precedes a view at `at` has been answered."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._edge > at - self._domain(AHEAD_S))

    def _domain(self, real_s: float) -> Micros:
        return round(real_s * self.rate * SECOND)

    def _due(self, action: CaseAction) -> Micros:
        if isinstance(action, CaseClosed):
            return action.at + self._domain(BEHIND_S)
        return action.at - self._domain(AHEAD_S)

    async def _play_cases(self, actions: Sequence[CaseAction]) -> None:
        book = CaseBook(self.refs)
        queue = sorted(actions, key=self._due)
        done = 0
        while done < len(queue):
            now = self.clock.now()
            touched: dict[str, None] = {}
            while done < len(queue) and self._due(queue[done]) <= now and len(touched) < MAX_BATCH:
                touched[book.note(queue[done])] = None
                done += 1
            if touched:
                await self._put([book.body(case_id) for case_id in touched])
            async with self._moved:
                self._edge = self._due(queue[done]) if done < len(queue) else inf
                self._moved.notify_all()
            if not touched:
                await asyncio.sleep(TICK_S / 2)

    async def _put(self, cases: list[dict[str, object]]) -> None:
        answer = await self._send("/v1/cases:batch", self.sync_token, {"cases": cases})
        answer.raise_for_status()
        for item in answer.json()["items"]:
            if item["problem"] is not None:
                raise RuntimeError(f"a case was not taken: {item['problem']['title']}")

    async def _view(self, view: View) -> None:
        try:
            body = {
                "customer": self.refs[view.customer],
                "purpose": view.purpose.value,
                "case": view.case_id,
                "device": view.device or None,
                "reason": REASON if view.case_id is None and view.truth == HONEST else None,
            }
            answer = await self._send("/v1/views", self.tokens[view.agent_id], body)
            if answer.is_success:
                self.tally.count_served(view)
            elif answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
                self.tally.unavailable += 1
            else:
                self.tally.count_refused(view, str(answer.json().get("code", answer.status_code)))
        finally:
            self._turns.release()

    async def _send(self, path: str, token: str, body: Mapping[str, object]) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"}
        answer = await self.client.post(path, json=body, headers=headers)
        for _ in range(RETRIES):
            if answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(AGAIN_S)
            answer = await self.client.post(path, json=body, headers=headers)
        return answer


def _is_case(action: Action) -> TypeGuard[CaseAction]:
    return not isinstance(action, View)
