"""How far apart the source keys are that somebody looks at, in coarse buckets.

Walking ids or the alphabet shows in the keys, and keys never leave the broker: so the broker
itself turns each into a distance to the same agent's previous one. A bucket is the bit length of
the distance (0: the same key, 1: the next one, 2: up to three...), -1 where it makes no sense. The
memory is this process's own and bounded; after a restart an agent's first view has no distance.
"""

from collections import OrderedDict

# Agents remembered: far more than one broker serves in a day.
REMEMBERED = 50_000
# Leading characters that count for the alphabetic distance: 6 bytes tell neighbours in a list
# of millions apart.
_PREFIX = 6


class Walk:
    """Distances between successive source keys of each agent."""

    def __init__(self) -> None:
        """Start without any memory."""
        self._last: OrderedDict[str, str] = OrderedDict()

    def step(self, agent: str, key: str) -> tuple[int, int]:
        """Remember `key` as the agent's newest; (numeric, alphabetic) bucket to the one before."""
        before = self._last.pop(agent, None)
        self._last[agent] = key
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        if before is None:
            return -1, -1
        return _numeric(before, key), _alphabetic(before, key)


def _numeric(one: str, other: str) -> int:
    if not (one.isascii() and one.isdigit() and other.isascii() and other.isdigit()):
        return -1
    return abs(int(one[:18]) - int(other[:18])).bit_length()


def _alphabetic(one: str, other: str) -> int:
    if one[:1].isdigit() or other[:1].isdigit():
        return -1
    return abs(_rank(one) - _rank(other)).bit_length()


def _rank(text: str) -> int:
    return int.from_bytes(text.casefold().encode()[:_PREFIX].ljust(_PREFIX, b"\0"))
