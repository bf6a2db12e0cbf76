"""One login on two devices at once: a shared or stolen credential."""

from zlib import crc32

from detectors.channels.channel import Look, Trial
from guard.clock import MINUTE

SOON = 15 * MINUTE


class Devices:
    """See the module."""

    name = "devices"
    prior = 0.004
    label = "come from another device than the one in use minutes before"
    remedy = "a recorded change of desk or a new session would have explained them"
    trial = Trial.LOOK
    is_linked = False

    def start(self) -> list[float]:
        """See `Channel.start`."""
        return [0.0, 0.0, -1.0]

    def observe(self, memory: list[float], look: Look) -> bool:
        """See `Channel.observe`."""
        device = look.event.device
        if device is None:
            return False
        now, before = float(crc32(device.encode())), memory[0]
        older, last = memory[1], memory[2]
        if now != before:
            memory[0], memory[1] = now, before
        memory[2] = float(look.event.ts)
        # Changing desks once is honest; going back and forth within minutes is two people.
        return now != before and now == older and look.event.ts - last <= SOON
