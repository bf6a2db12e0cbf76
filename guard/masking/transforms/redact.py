"""`redact`: one constant for every value, null included; the field is not fetched."""

from guard.masking.registry import REDACTED, Mask, Params, Transform
from guard.masking.scalars import Scalar
from policies.model import Form


def _make(_params: Params) -> Mask:
    return _constant


def _constant(_value: Scalar) -> Scalar:
    return REDACTED


TRANSFORM = Transform(
    name="redact", version=1, params={}, make=_make, leaks=lambda _: 0, form=Form.REDACT
)
