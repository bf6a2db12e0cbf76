"""`hash`: a keyed hash (HMAC-SHA-256) of the value, for joins that nobody can try values against.

Never without a key: the hash of a phone number is undone by trying all of them. Equal values are
equal inside one scope (`joins = "scope"`, a case or a purpose), or in the whole tenant. What is
hashed is `comparable.same_text`, so case, blanks and the script of digits do not count.
"""

from guard.masking.comparable import same_text
from guard.masking.context import MaskContext
from guard.masking.registry import Choice, KeyedMask, Number, Params, Transform, without_key
from guard.masking.scalars import Scalar, text_of

MIN_BYTES, MAX_BYTES = 16, 32


def _make(params: Params) -> KeyedMask:
    size, is_wide = int(params["bytes"]), params["joins"] == "tenant"

    def keyed_hash(value: Scalar, context: MaskContext) -> Scalar:
        text = same_text(text_of(value))
        if not text:
            return ""
        digest = (context.in_tenant if is_wide else context.in_scope)("hash", text)
        return digest[:size].hex()

    return keyed_hash


TRANSFORM = Transform(
    name="hash",
    version=1,
    params={
        "bytes": Number(default=MIN_BYTES, low=MIN_BYTES, high=MAX_BYTES),
        "joins": Choice(default="scope", words=("scope", "tenant")),
    },
    make=without_key,
    make_keyed=_make,
    leaks=lambda _: 0,
)
