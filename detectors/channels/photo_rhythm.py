"""An even beat of weakly explained views: open, photograph, next.

Three looks in a row with two equal gaps between them. Honest work is uneven, because customers
are.
"""

from detectors.channels.channel import Look, Trial

SHORTEST_S, LONGEST_S = 5.0, 300.0
TOLERANCE = 0.2
# Two even gaps happen by chance in about one of ten honest pairs; two such pairs hardly ever.
BEATS = 2


class PhotoRhythm:
    """See the module."""

    name = "photo_rhythm"
    prior = 0.004
    label = "follow each other at an even beat without a strong reason"
    remedy = "cases that were worked one after the other would have explained the beat"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return [-1.0, 0.0]

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        gap, (last, beats) = look.gap_s, memory
        if gap is None or not look.is_weak or not SHORTEST_S <= gap <= LONGEST_S:
            memory[0], memory[1] = -1.0 if gap is None else gap, 0.0
            return False
        even = last > 0 and abs(gap - last) <= TOLERANCE * last
        memory[0], memory[1] = gap, beats + 1 if even else 0.0
        return even and memory[1] >= BEATS
