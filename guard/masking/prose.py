"""Free text that is no field of a record: what a customer writes to a desk.

It gets what a note gets: the record's own values are taken out, then whatever looks like an
identifier.
"""

from guard.masking.graphemes import normal
from guard.masking.own_values import own_values, take_out
from guard.masking.patterns import scrub
from guard.masking.registry import REDACTED
from guard.masking.scalars import MAX_TEXT, UnmaskableError
from guard.rows import RawRecord

_NO_OPEN_PATHS: frozenset[str] = frozenset()


def redact(text: str, raw: RawRecord | None) -> str:
    """Take the values of `raw` and every pattern out of `text`.

    Every value of the record counts as its own: hand over a record without the texts that are to
    be shown. A text that cannot be searched (over 64 KiB, or beside a record too large to be sure
    of) becomes the constant. Never raises.
    """
    if len(text) > MAX_TEXT:
        return REDACTED
    try:
        own = frozenset[str]() if raw is None else own_values(raw.values, _NO_OPEN_PATHS)
        is_long = len(text.encode()) > MAX_TEXT
        return REDACTED if is_long else scrub(take_out(normal(text), own))
    except (UnmaskableError, ValueError):
        return REDACTED
