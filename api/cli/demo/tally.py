"""What the clients counted: each answer as its own desk saw it, to be held against the ledger."""

from asyncio import Event
from collections import Counter
from dataclasses import dataclass, field

from detectors.floor_actions import HONEST, View

SUSPENDED, EXPLAINED_ONLY = "suspended", "explained_only"


@dataclass(slots=True)
class Tally:
    """Counts of one day. `insider` is whom the demo watches; nobody else knows of her."""

    insider: str
    served: int = 0
    honest_refused: int = 0
    unavailable: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    taken: set[int] = field(default_factory=set)
    cut: Event = field(default_factory=Event)
    stopped: Event = field(default_factory=Event)

    def count_served(self, view: View) -> None:
        """A record was shown."""
        self.served += 1
        if view.truth != HONEST:
            self.taken.add(view.customer)

    def count_refused(self, view: View, code: str) -> None:
        """A view was refused, with an entry of its own."""
        self.refused[code] += 1
        if view.agent_id != self.insider:
            self.honest_refused += 1
        elif code == EXPLAINED_ONLY:
            self.cut.set()
        elif code == SUSPENDED:
            self.stopped.set()
