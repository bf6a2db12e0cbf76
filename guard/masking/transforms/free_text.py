"""`free_text`: prose with everything taken out that looks like an identifier.

Before this mask sees the text, the plan has taken out the record's own protected values
(`guard.masking.own_values`). Best effort by nature: names of third parties stay. Notes should be
hidden unless a policy grants them. `redactor` names what looks again after the patterns.
"""

from guard.masking.graphemes import normal
from guard.masking.patterns import scrub
from guard.masking.redactors import open_presidio
from guard.masking.registry import Choice, Mask, Params, Transform
from guard.masking.scalars import MAX_TEXT, Scalar, UnmaskableError


def _make(params: Params) -> Mask:
    if params["redactor"] == "patterns":
        return _free_text
    redactor = open_presidio()
    return lambda value: redactor.redact(_free_text(value))


def _free_text(value: Scalar) -> str:
    if not isinstance(value, str) or len(value.encode()) > MAX_TEXT:
        raise UnmaskableError("not a text that can be scanned")
    return scrub(normal(value))


TRANSFORM = Transform(
    name="free_text",
    version=1,
    params={"redactor": Choice(default="patterns", words=("patterns", "presidio"))},
    make=_make,
    leaks=lambda _: MAX_TEXT,
    is_prose=True,
)
