"""Searches that find nobody: guessing, not looking up a caller."""

from detectors.channels.channel import Look, Trial


class SearchMiss:
    """See the module."""

    name = "search_miss"
    prior = 0.08
    label = "find nobody"
    remedy = "an identifier given by the customer finds its record"
    trial = Trial.SEARCH
    is_linked = False

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return []

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        del memory
        return look.event.result_count == 0
