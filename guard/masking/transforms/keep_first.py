"""`keep_first`: the first `n` characters and four stars; at least `min_hidden` stay hidden.

As `keep_last`, from the other end: the number of stars tells no length, separators do not count.
"""

from guard.masking.graphemes import without_separators
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, text_of

STARS = "****"


def _make(params: Params) -> Mask:
    n, min_hidden = int(params["n"]), int(params["min_hidden"])

    def keep_first(value: Scalar) -> Scalar:
        text = text_of(value)
        if not text:
            return ""
        letters = without_separators(text)
        kept = min(n, max(0, len(letters) - min_hidden))
        return "".join(letters[:kept]) + STARS

    return keep_first


TRANSFORM = Transform(
    name="keep_first",
    version=1,
    params={
        "n": Number(default=4, low=0, high=8),
        "min_hidden": Number(default=4, low=4, high=64),
    },
    make=_make,
    leaks=lambda params: int(params["n"]),
)
