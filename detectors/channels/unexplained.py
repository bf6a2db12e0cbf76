"""Views that nothing explains: the one number that separates snooping from honest work."""

from detectors.channels.channel import Look, Trial
from detectors.explanations import UNLINKED


class Unexplained:
    """See the module."""

    name = "unexplained"
    prior = 0.03
    label = "have no case, call or list behind them"
    remedy = "a case, a transfer, a review assignment or an approved list would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.explanation.strength < UNLINKED
