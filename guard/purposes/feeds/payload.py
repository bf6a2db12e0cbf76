"""Reading a payload that somebody else made: every part is checked, bounded and named by its place.

An error names the place in the sender's own words (`detail.id`) and never what stood there.
"""

from collections.abc import Mapping

from guard.clock import SECOND, Micros, from_rfc3339
from guard.errors import InvalidRequestError

# As the API's own words: an id, a channel, a key of a record source.
MAX_ID = 128
MAX_CHANNEL = 64
MAX_VALUE = 320
# 9999-12-31, the last day that a time can name.
_LAST: Micros = 253_402_300_799 * SECOND


class Payload:
    """A parsed JSON object, read by dotted places."""

    def __init__(self, body: object) -> None:
        """Wrap a payload.

        Raises:
            InvalidRequestError: It is no JSON object.
        """
        if not isinstance(body, Mapping):
            raise InvalidRequestError("the payload is no JSON object: check the webhook's template")
        self._body: Mapping[object, object] = body

    def text(self, place: str, most: int = MAX_ID) -> str:
        """The text (or whole number) at a place that must be there.

        Raises:
            InvalidRequestError: It is missing, empty, too long or no plain text.
        """
        found = self.maybe(place, most)
        if found is None:
            raise InvalidRequestError(
                f"the payload lacks {place}: add it to the webhook's template"
            )
        return found

    def maybe(self, place: str, most: int = MAX_ID) -> str | None:
        """As `text`; None where it is missing, null or empty.

        Raises:
            InvalidRequestError: It is too long or no plain text.
        """
        found = self._at(place)
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if found is None or found == "":
            return None
        if not isinstance(found, str) or len(found) > most or not found.isprintable():
            raise InvalidRequestError(
                f"the payload's {place} is no printable text of at most {most} characters"
            )
        return found

    def flag(self, place: str) -> bool:
        """The truth at a place; false where it is missing.

        Raises:
            InvalidRequestError: Something else stands there.
        """
        found = self._at(place)
        if found in (None, "", "false", False):
            return False
        if found in ("true", True):
            return True
        raise InvalidRequestError(f"the payload's {place} is neither true nor false")

    def words(self, place: str) -> frozenset[str]:
        """The texts of a list; empty where it is missing.

        Raises:
            InvalidRequestError: Something else than a list of texts stands there.
        """
        found = self._at(place)
        if found is None:
            return frozenset()
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return frozenset(found)
        raise InvalidRequestError(f"the payload's {place} is no list of texts")

    def time(self, place: str) -> Micros:
        """The RFC 3339 time at a place that must be there.

        Raises:
            InvalidRequestError: It is missing or no such time.
        """
        return instant(place, self.text(place))

    def maybe_time(self, place: str) -> Micros | None:
        """As `time`; None where it is missing, null or empty.

        Raises:
            InvalidRequestError: It is no such time.
        """
        found = self.maybe(place)
        return None if found is None else instant(place, found)

    def _at(self, place: str) -> object:
        found: object = self._body
        for name in place.split("."):
            if found is None:
                return None
            if not isinstance(found, Mapping):
                raise InvalidRequestError(f"the payload's {place} stands in no JSON object")
            found = found.get(name)
        return found


def instant(place: str, text: str) -> Micros:
    """Read a time.

    Raises:
        InvalidRequestError: It is no RFC 3339 time since 1970.
    """
    try:
        at = from_rfc3339(text)
    except ValueError:
        at = -1
    if not 0 <= at <= _LAST:
        raise InvalidRequestError(f"the payload's {place} is no time with an offset")
    return at


def customer_of(
    payload: Payload, key: str, identifiers: Mapping[str, str], customers: str
) -> dict[str, object]:
    """Who the case is about, as fields of a `CasePut`.

    The key of the record source `customers` at place `key`, or the first identifier that is there
    (kind -> place).

    Raises:
        InvalidRequestError: Nothing names the customer.
    """
    found = payload.maybe(key, 200)
    if found is not None:
        return {"source": customers, "source_key": found}
    for kind, place in identifiers.items():
        value = payload.maybe(place, MAX_VALUE)
        if value is not None:
            return {"identifier": (kind, value)}
    places = ", ".join((key, *identifiers.values()))
    raise InvalidRequestError(f"the payload names no customer: it needs one of {places}")
