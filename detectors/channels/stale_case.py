"""Views of customers whose case was closed before: yesterday's work as today's excuse."""

from detectors.channels.channel import Look, Trial
from policies.model import Link


class StaleCase:
    """See the module."""

    name = "stale_case"
    prior = 0.02
    label = "rest on a case that was already closed"
    remedy = "reopening the case, or a follow-up assigned by the queue, would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.explanation.link is Link.STALE
