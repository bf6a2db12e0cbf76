"""`keep_both`: the first and last characters with four stars between, of values long enough.

A value that would have fewer than `min_hidden` characters left is hidden whole: there is no shorter
form, because which end to keep would be a guess.
"""

from guard.masking.graphemes import without_separators
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, text_of

STARS = "****"


def _make(params: Params) -> Mask:
    first, last, min_hidden = (int(params[name]) for name in ("first", "last", "min_hidden"))

    def keep_both(value: Scalar) -> Scalar:
        text = text_of(value)
        if not text:
            return ""
        letters = without_separators(text)
        if len(letters) < first + last + min_hidden:
            return STARS
        return "".join((*letters[:first], STARS, *letters[len(letters) - last :]))

    return keep_both


TRANSFORM = Transform(
    name="keep_both",
    version=1,
    params={
        "first": Number(default=1, low=0, high=6),
        "last": Number(default=2, low=0, high=6),
        "min_hidden": Number(default=4, low=4, high=64),
    },
    make=_make,
    leaks=lambda params: int(params["first"]) + int(params["last"]),
)
