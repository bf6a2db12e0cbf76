r"""`regex`: what a pattern's groups hold, in a new order, of values that fit the pattern whole.

No match is redacted, never passed through. The pattern is of a small language that is read in one
pass whatever the value: literals, `.`, `\d`, `\w`, `\s`, sets like `[A-Z0-9]`, each with `?`, `*`,
`+` or `{m,n}`, and plain groups. Every repetition takes all it can and gives nothing back, so there
is nothing to try twice. At least four characters of the value stay hidden.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from guard.masking.graphemes import visible, without_unseen
from guard.masking.registry import Mask, Params, Transform, Words
from guard.masking.scalars import Scalar, UnmaskableError, text_of

# A longer value is no identifier; it bounds what `*` can show.
MAX_VALUE = 256
MIN_HIDDEN = 4

_PIECE = re.compile(
    r"(?P<atom>\\[dws.\-+*?()\[\]{}|^$/\\]|\[[A-Za-z0-9 _.@:\-]{1,40}\]|[^\\\[\](){}|^$*+?])"
    r"(?P<times>[?*+]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})?"
    r"|(?P<group>[()])(?![?*+{])"
)
_REPLACEMENT = re.compile(r"[^\\]|\\[1-9]")


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A compiled pattern and the most characters that each group can hold."""

    compiled: re.Pattern[str]
    widths: tuple[int, ...]


def _make(params: Params) -> Mask:
    pattern = _read(str(params["pattern"]))
    parts = _parts(str(params["repl"]), len(pattern.widths))
    shown = {int(part[1]) for part in parts if part.startswith("\\")}

    def regex(value: Scalar) -> Scalar:
        text = without_unseen(text_of(value))
        if not text:
            return ""
        found = pattern.compiled.fullmatch(text) if len(text) <= MAX_VALUE else None
        if found is None:
            raise UnmaskableError("no match")
        left = len(visible(text)) - sum(len(visible(found[group] or "")) for group in shown)
        if left < MIN_HIDDEN:
            raise UnmaskableError("too much would be shown")
        return "".join(found[int(part[1])] if part.startswith("\\") else part for part in parts)

    return regex


def _read(text: str) -> _Pattern:
    """Check every piece of `text` and make its repetitions possessive."""
    out, widths, is_open = [r"\A"], [0], False
    for piece in _pieces(text):
        times, group = piece["times"], piece["group"]
        if group == (")" if not is_open else "("):
            raise UnmaskableError("`regex` needs groups that are closed and hold no group")
        out.append(piece[0] + ("+" if times else ""))
        if group:
            is_open = group == "("
            widths.extend([0] * is_open)
        elif is_open:
            widths[-1] += _most(times)
    if is_open:
        raise UnmaskableError("`regex` needs groups that are closed and hold no group")
    try:
        compiled = re.compile("".join(out))
    except (re.error, OverflowError):
        raise UnmaskableError("`regex` cannot use a range of its pattern") from None
    return _Pattern(compiled, tuple(min(width, MAX_VALUE) for width in widths[1:]))


def _pieces(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        # Python reserves `--` in a set for something that it does not have yet.
        if piece is None or "--" in piece[0]:
            raise UnmaskableError(f"`regex` cannot use what stands at {at + 1} of its pattern")
        yield piece
        at = piece.end()


def _most(times: str | None) -> int:
    """How often a piece with this repetition can stand."""
    if times in (None, "?"):
        return 1
    last = str(times).strip("{}").rpartition(",")[2]
    return int(last) if last.isdecimal() else MAX_VALUE


def _parts(repl: str, groups: int) -> list[str]:
    parts = _REPLACEMENT.findall(repl)
    named = [int(part[1]) for part in parts if part.startswith("\\")]
    # A group twice over would show its end and its start side by side as one run.
    if "".join(parts) != repl or len(set(named)) != len(named) or max(named, default=0) > groups:
        raise UnmaskableError("`regex` needs a `repl` that names each group at most once")
    return parts


def _leaks(params: Params) -> int:
    pattern = _read(str(params["pattern"]))
    parts = _parts(str(params["repl"]), len(pattern.widths))
    return sum(pattern.widths[int(part[1]) - 1] for part in parts if part.startswith("\\"))


TRANSFORM = Transform(
    name="regex",
    version=1,
    params={
        "pattern": Words(default=".*", longest=200),
        "repl": Words(default="****", longest=60),
    },
    make=_make,
    leaks=_leaks,
)
