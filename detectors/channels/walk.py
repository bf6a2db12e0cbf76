"""Customers next to each other by number or name: walking a list instead of answering calls."""

from detectors.channels.channel import Look, Trial

# Buckets are bit lengths of the distance: 3 is at most seven places away; 0 is the same customer.
NEAR = 3
LONGEST_ID = 15  # digits that a float holds exactly


class Walk:
    """See the module."""

    name = "walk"
    prior = 0.03
    label = "are weakly explained and lie next to customers the agent had just seen"
    remedy = "calls come in no order; a work list approved for the team would have explained one"
    trial = Trial.LOOK
    is_linked = True

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return [-1.0, -1.0, -1.0]

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        number, alphabet = look.event.walk
        if number < 0 and alphabet < 0:
            number = _nearest(memory, look.event.customer_id)
        return look.is_weak and (0 < number <= NEAR or 0 < alphabet <= NEAR)


def _nearest(memory: list[float], customer_id: str) -> int:
    """Bucket of the distance to the last three customers, for logs that bring no `walk` column."""
    digits = "".join(c for c in customer_id if c in "0123456789")
    if not digits or len(digits) > LONGEST_ID:
        return -1
    number = int(digits)
    seen = [abs(number - int(other)).bit_length() for other in memory if other >= 0]
    memory[:] = [memory[1], memory[2], float(number)]
    return min(seen, default=-1)
