"""`keep_last`: four stars and the last `n` characters, of which at least `min_hidden` stay hidden.

"1234" shows nothing of itself: with four characters, the last four would be the whole value.
Separators do not count, so a grouped account number is not half shown by its spaces.
"""

from guard.masking.graphemes import without_separators
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, text_of

STARS = "****"


def _make(params: Params) -> Mask:
    n, min_hidden = int(params["n"]), int(params["min_hidden"])

    def keep_last(value: Scalar) -> Scalar:
        text = text_of(value)
        if not text:
            return ""
        shown = without_separators(text)
        kept = min(n, max(0, len(shown) - min_hidden))
        return STARS + "".join(shown[len(shown) - kept :])

    return keep_last


TRANSFORM = Transform(
    name="keep_last",
    version=1,
    params={
        "n": Number(default=4, low=0, high=8),
        "min_hidden": Number(default=4, low=4, high=64),
    },
    make=_make,
    leaks=lambda params: int(params["n"]),
)
