"""`free_text`: prose with everything taken out that looks like an identifier.

Before this mask sees the text, the plan has taken out the record's own protected values
(`guard.masking.own_values`). Best effort by nature: names of third parties stay. Notes should be
hidden unless a policy grants them.
"""

from guard.masking.graphemes import normal
from guard.masking.patterns import scrub
from guard.masking.registry import Mask, Params, Transform
from guard.masking.scalars import MAX_TEXT, Scalar, UnmaskableError


def _make(_params: Params) -> Mask:
    return _free_text


def _free_text(value: Scalar) -> Scalar:
    if not isinstance(value, str) or len(value.encode()) > MAX_TEXT:
        raise UnmaskableError("not a text that can be scanned")
    return scrub(normal(value))


TRANSFORM = Transform(
    name="free_text",
    version=1,
    params={},
    make=_make,
    leaks=lambda _: MAX_TEXT,
    is_prose=True,
)
