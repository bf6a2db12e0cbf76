"""How a time is typed on the command line."""

from guard.clock import Micros, from_rfc3339
from guard.errors import InvalidRequestError


def instant(text: str | None) -> Micros | None:
    """The time that an RFC 3339 text names; None if nothing was typed.

    Raises:
        InvalidRequestError: It is no such text.
    """
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except ValueError:
        raise InvalidRequestError(
            f"`{text}` is no RFC 3339 time, write 2026-11-21T18:00:00Z"
        ) from None
