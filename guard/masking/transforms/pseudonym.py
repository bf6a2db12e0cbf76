"""`pseudonym`: a typed name for a value, such as `PHONE_7K3QM2XA`, that joins inside one scope.

For AI agents and queues, which must tell equal values from different ones and need no value. It is
derived from the value under the tenant's key and the scope: the same in every record of one case or
purpose, unlinkable outside. A counter (`PHONE_1`) would do neither: it numbers the values of one
answer, so the second customer's first number is `PHONE_1` again and joins with a stranger's.
"""

from guard.masking.comparable import letters_and_digits, same_text
from guard.masking.context import MaskContext
from guard.masking.registry import Choice, KeyedMask, Number, Params, Transform, without_key
from guard.masking.scalars import Scalar, text_of

# Crockford's base 32: nothing that is misread for something else.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 5

# Separators tell nothing apart in these; in the others `a.b` and `ab` are two.
_NUMBERS = ("ACCOUNT", "CARD", "ID", "PHONE")
KINDS = (*_NUMBERS, "ADDRESS", "EMAIL", "NAME", "PERSON", "VALUE")


def _make(params: Params) -> KeyedMask:
    kind, length = str(params["kind"]), int(params["length"])
    comparable = letters_and_digits if kind in _NUMBERS else same_text

    def pseudonym(value: Scalar, context: MaskContext) -> Scalar:
        text = comparable(text_of(value))
        if not text:
            return ""
        drawn = int.from_bytes(context.in_scope("pseudonym", kind, text), "big")
        code = "".join(ALPHABET[drawn >> BITS * i & 31] for i in range(length))
        return f"{kind}_{code}"

    return pseudonym


TRANSFORM = Transform(
    name="pseudonym",
    version=1,
    params={
        "kind": Choice(default="VALUE", words=KINDS),
        "length": Number(default=8, low=4, high=16),
    },
    make=without_key,
    make_keyed=_make,
    leaks=lambda _: 0,
)
