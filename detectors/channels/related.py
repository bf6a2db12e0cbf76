"""Views excused by a related account: one honest case as a door to a whole family."""

from detectors.channels.channel import Look, Trial
from policies.model import Link


class Related:
    """See the module."""

    name = "related"
    prior = 0.03
    label = "are excused only by a related account"
    remedy = "a case of the related customer itself would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.explanation.link is Link.RELATED
