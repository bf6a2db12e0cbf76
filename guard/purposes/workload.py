"""The cases that somebody works on right now: what a desk opens with."""

from guard.clock import Clock
from guard.ports import Readers
from guard.principals import Principal
from guard.rows import CaseRow

# A desk shows a queue, not an archive; the oldest live cases come first.
MOST = 100


class Workload:
    """Tells people their own open cases."""

    def __init__(self, readers: Readers, clock: Clock) -> None:
        """Read through `readers`."""
        self._readers, self._clock = readers, clock

    async def mine(self, principal: Principal) -> list[CaseRow]:
        """The caller's open cases, oldest first, at most `MOST`; of an AI agent its own too."""
        people = {principal.id} | ({principal.actor} if principal.actor is not None else set())
        at = self._clock.now()
        return await self._readers.read(
            lambda view: view.open_cases(principal.tenant, people, at, MOST)
        )
