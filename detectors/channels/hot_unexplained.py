"""Unexplained views in quick succession: one is a slip, several within minutes are a search."""

from detectors.channels.channel import Look, Trial
from detectors.explanations import UNLINKED
from guard.clock import MINUTE

HOT = 10 * MINUTE


class HotUnexplained:
    """See the module."""

    name = "hot_unexplained"
    prior = 0.004
    label = "have no reason and follow another such view within ten minutes"
    remedy = "a case for each of these customers would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return [-1.0]

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        if look.explanation.strength >= UNLINKED:
            return False
        last, memory[0] = memory[0], float(look.event.ts)
        return last >= 0 and look.event.ts - last <= HOT
