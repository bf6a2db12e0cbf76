"""Views on the strength of a case that the viewing agent opened: the cheapest alibi there is."""

from detectors.channels.channel import Look, Trial
from policies.model import Link


class SelfOpened:
    """See the module."""

    name = "self_opened"
    prior = 0.02
    label = "rest on a case that the agent opened"
    remedy = "a contact of the customer on record (call, chat, mail) would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.explanation.link is Link.SELF_OPENED
