"""`hide`: the field is not in the answer, whatever its value; it is not fetched either."""

from guard.masking.registry import REDACTED, Mask, Params, Transform
from guard.masking.scalars import Scalar
from policies.model import Form


def _make(_params: Params) -> Mask:
    return _constant


def _constant(_value: Scalar) -> Scalar:
    # A plan drops the field before it comes to this; a constant is safe for any other caller.
    return REDACTED


TRANSFORM = Transform(
    name="hide", version=1, params={}, make=_make, leaks=lambda _: 0, form=Form.HIDE
)
