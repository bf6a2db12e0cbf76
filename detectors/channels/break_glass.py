"""Customers opened by break-glass: rare, answered for, and no habit.

A grant counts as a look when it is asked for, given or not; the views under it are the same look.
A single one is what break-glass is for; several in a few shifts are an entrance.
"""

from detectors.channels.channel import Look, Trial
from policies.model import Link


class BreakGlass:
    """See the module."""

    name = "break_glass"
    prior = 0.004
    label = "were opened by break-glass"
    remedy = "cases of these customers would have explained them, and made break-glass needless"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.explanation.link is Link.BREAK_GLASS
