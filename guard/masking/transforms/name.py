"""`name`: the first character of each word (at most four), or of the first word only.

A word of one character is hidden, and so is a word of one or two characters in a script that
writes whole names in two (Chinese, Japanese, Korean): there the first is the family name.
"""

from guard.masking.graphemes import is_dense, normal, visible
from guard.masking.registry import Choice, Mask, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError

MAX_WORDS = 4
HIDDEN_WORD = "*"


def _make(params: Params) -> Mask:
    words = 1 if params["style"] == "first_initial" else MAX_WORDS

    def name(value: Scalar) -> Scalar:
        if not isinstance(value, str):
            raise UnmaskableError("not a name")
        return " ".join(_initial(word) for word in normal(value).split()[:words])

    return name


def _initial(word: str) -> str:
    letters = visible(word)
    shortest = 2 if is_dense(word) else 1
    return letters[0] + "." if len(letters) > shortest else HIDDEN_WORD


TRANSFORM = Transform(
    name="name",
    version=1,
    params={"style": Choice(default="initials", words=("initials", "first_initial"))},
    make=_make,
    leaks=lambda params: 1 if params["style"] == "first_initial" else MAX_WORDS,
)
