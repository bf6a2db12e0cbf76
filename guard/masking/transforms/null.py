"""`null`: JSON null for every value; the field is not fetched.

For readers that cannot take text where they expect a number or a date.
"""

from guard.masking.registry import Mask, Params, Transform
from guard.masking.scalars import Scalar
from policies.model import Form


def _make(_params: Params) -> Mask:
    return _null


def _null(_value: Scalar) -> Scalar:
    return None


TRANSFORM = Transform(
    name="null", version=1, params={}, make=_make, leaks=lambda _: 0, form=Form.REDACT
)
