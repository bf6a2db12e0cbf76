"""Whether somebody is at work, in their own time zone and by their own roster."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from guard.clock import HOUR, MINUTE, SECOND, Micros
from guard.errors import InvalidRequestError
from guard.principals import Shift

# Handing over and finishing a call happen at the edges of a shift and are honest work.
GRACE: Micros = 30 * MINUTE
# Since the last contact that came: longer than any ordinary one, shorter than an evening.
ROUTED: Micros = 2 * HOUR


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The time zone called `name`.

    Raises:
        InvalidRequestError: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequestError("unknown time zone, use an IANA name such as `UTC`") from error


def is_on_shift(shift: Shift | None, at: Micros) -> bool:
    """Whether `at` falls into the shift or `GRACE` of it; somebody without a roster always is."""
    if shift is None:
        return True
    local = datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone(shift.tz))
    return any(_covers(shift, local, back) for back in (0, 1, -1))


def is_routed(routed_at: Micros | None, at: Micros) -> bool:
    """Whether contacts still come to somebody, so that they are at work whatever the roster says.

    Rosters are late: people swap shifts and stay for a colleague. Who is given contacts is at work
    by the word of the system that gives them, which nobody can say of themselves.
    """
    return routed_at is not None and 0 <= at - routed_at <= ROUTED


def _covers(shift: Shift, local: datetime, days_back: int) -> bool:
    """Whether the shift that started `days_back` days before `local`'s date covers `local`."""
    day = local.date() - timedelta(days=days_back)
    if day.isoweekday() not in shift.days:
        return False
    length = (shift.end - shift.start) % (24 * 60) or 24 * 60
    grace = GRACE // MINUTE
    minute = days_back * 24 * 60 + local.hour * 60 + local.minute
    return shift.start - grace <= minute < shift.start + length + grace
