"""`fake`: an invented value in the shape of a real one, for tools that insist on the shape.

Drawn from the value under the tenant's key and the scope, so it is stable in a case; two values
may get one fake, so it is no key to join on (`pseudonym` is). Nobody's data: names are made of
syllables, addresses end in a domain that is reserved for ever (RFC 2606), numbers are of a range
that is kept for drama. A plan lists the fields that show fakes in `synthetic`.
"""

from collections.abc import Callable

from guard.masking.comparable import same_text
from guard.masking.context import MaskContext
from guard.masking.registry import Choice, KeyedMask, Params, Transform, without_key
from guard.masking.scalars import Scalar, text_of

_STARTS = (
    *("ba", "de", "fi", "go", "ka", "le", "mi", "no"),
    *("pa", "re", "sa", "ti", "ul", "va", "we", "zo"),
)
_ENDS = ["dan", "lor", "mek", "nis", "pol", "ras", "tev", "vin"]


class _Draw:
    """Choices from a number, each of which uses up what it takes."""

    def __init__(self, digest: bytes) -> None:
        self._left = int.from_bytes(digest, "big")

    def below(self, n: int) -> int:
        self._left, drawn = divmod(self._left, n)
        return drawn

    def word(self) -> str:
        parts = (_STARTS, _STARTS, _ENDS)
        return "".join(part[self.below(len(part))] for part in parts)


def _name(draw: _Draw) -> str:
    return f"{draw.word().title()} {draw.word().title()}"


def _email(draw: _Draw) -> str:
    return f"{draw.word()}.{draw.word()}@example.invalid"


def _phone(draw: _Draw) -> str:
    return f"+44 7700 900{draw.below(1_000):03}"


def _street(draw: _Draw) -> str:
    return f"{draw.below(99) + 1} {draw.word().title()} Street"


_KINDS: dict[str, Callable[[_Draw], str]] = {
    "name": _name,
    "email": _email,
    "phone": _phone,
    "street": _street,
}


def _make(params: Params) -> KeyedMask:
    kind = str(params["kind"])
    invent = _KINDS[kind]

    def fake(value: Scalar, context: MaskContext) -> Scalar:
        text = same_text(text_of(value))
        return invent(_Draw(context.in_scope("fake", kind, text))) if text else ""

    return fake


TRANSFORM = Transform(
    name="fake",
    version=1,
    params={"kind": Choice(default="name", words=tuple(_KINDS))},
    make=without_key,
    make_keyed=_make,
    leaks=lambda _: 0,
    is_deterministic=False,
    is_synthetic=True,
)
