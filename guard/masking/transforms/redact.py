"""`redact`: one constant for every value, null included; the field is not fetched.

`text` is the policy's own constant, of fixed length: it cannot depend on the value.
"""

from guard.masking.registry import REDACTED, Mask, Params, Transform, Words
from guard.masking.scalars import Scalar
from policies.model import Form

MAX_LENGTH = 32


def _make(params: Params) -> Mask:
    text = str(params["text"])

    def redact(_value: Scalar) -> Scalar:
        return text

    return redact


TRANSFORM = Transform(
    name="redact",
    version=1,
    params={"text": Words(default=REDACTED, longest=MAX_LENGTH)},
    make=_make,
    leaks=lambda _: 0,
    form=Form.REDACT,
)
