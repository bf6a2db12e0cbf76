"""Verifications that fail: probing for what a record holds, not checking what a caller says."""

from detectors.channels.channel import Look, Trial


class VerifyMiss:
    """See the module."""

    name = "verify_miss"
    prior = 0.08
    label = "are wrong"
    remedy = "a customer who calls knows what is asked of them"
    trial = Trial.VERIFICATION
    is_linked = False

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.event.result_count == 0
