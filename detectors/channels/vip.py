"""Weakly explained views of protected, prominent or wealthy customers."""

from detectors.channels.channel import Look, Trial


class Vip:
    """See the module."""

    name = "vip"
    prior = 0.003
    label = "show a protected customer without a strong reason"
    remedy = "a case or a grant for the protected customer would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.is_weak and look.event.tier != "standard"
