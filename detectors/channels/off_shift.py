"""Weakly explained views outside the shift, when no lead looks over the shoulder."""

from detectors.channels.channel import Look, Trial


class OffShift:
    """See the module."""

    name = "off_shift"
    prior = 0.01
    label = "lie outside the shift and have no strong reason"
    remedy = "recorded overtime, and a case for each view, would have explained them"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.is_weak and look.on_shift is False
