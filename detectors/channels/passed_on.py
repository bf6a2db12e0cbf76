"""Views on a transferred case that a colleague, not a customer, opened: an alibi passed round."""

from detectors.channels.channel import Look, Trial
from policies.model import Link


class PassedOn:
    """See the module."""

    name = "passed_on"
    prior = 0.02
    label = "rest on a transferred case that a colleague had opened"
    remedy = "a contact of the customer on record (call, chat, mail) would have explained them"
    trial = Trial.LOOK
    is_linked = False

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        explanation = look.explanation
        by_hand = explanation.opened_by is not None and explanation.opened_by != look.event.agent_id
        return by_hand and explanation.link is Link.TRANSFER
