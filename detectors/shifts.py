"""Whether an agent is at work, from the profile's zone and start of shift.

The access-events format has no end of shift: a shift is taken as nine hours, with some grace on
both sides. Where the log itself says `on_shift`, that is used instead.
"""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from guard.clock import HOUR, MINUTE, SECOND, Micros
from guard.events import AgentProfile

LENGTH_MIN = 9 * 60
EARLY_MIN, LATE_MIN = 45, 75
DAY_MIN = 24 * 60


def on_shift(profile: AgentProfile, at: Micros) -> bool | None:
    """Whether `at` lies in the shift, with grace; None where the profile names no shift."""
    if profile.shift_start is None:
        return None
    local = at // MINUTE + _offset_min(profile.tz, at // HOUR)
    into = (local - profile.shift_start + EARLY_MIN) % DAY_MIN
    return into < EARLY_MIN + LENGTH_MIN + LATE_MIN


@lru_cache(maxsize=4096)
def _offset_min(tz: str, hour: int) -> int:
    """Minutes ahead of UTC; an unknown zone counts as UTC rather than stopping a replay."""
    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    offset = datetime.fromtimestamp(hour * HOUR // SECOND, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60
