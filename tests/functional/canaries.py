"""Canaries: secrets that are easy to find again, and the search for them in everything else.

A canary is random text. Evidence is whatever left the service, with a label each. A canary is found
when any run of `RUN` of its characters stands anywhere: as it is, in lower case, backwards, in
base64 (any alignment, either alphabet), in hexadecimal, or percent-encoded. Masks may show up to
four characters of a value, so whatever a mask may show is no finding, and any more is one.

Digits need longer runs: eight of them stand by chance in any log that holds times and hashes.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# A third of a canary; twice what any mask of the shipped policy shows.
RUN = 8
# Of a number: sixteen digits of a time in microseconds share fewer with a random one.
DIGIT_RUN = 12
LENGTH = 24
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", np.uint8)
# The look-up's window: eight bytes are one machine word.
WORD = 8
_BLOOM_BITS = 25
_MIX = np.uint64(0x9E3779B97F4A7C15)

Words = NDArray[np.uint64]


class Draw:
    """A seeded source of canaries, all different."""

    def __init__(self, seed: int) -> None:
        """Draw from `seed`."""
        self._rng = np.random.default_rng(seed)

    def text(self) -> str:
        """Twenty-four letters and digits, at least four of them digits, the first a letter."""
        drawn = self._rng.choice(LETTERS, LENGTH)
        drawn[0] = LETTERS[int(self._rng.integers(0, 52))]
        for place in (5, 11, 17, 23):
            drawn[place] = LETTERS[52 + int(self._rng.integers(0, 10))]
        return drawn.tobytes().decode()

    def digits(self, count: int) -> str:
        """So many digits, the first of them not zero."""
        drawn = self._rng.integers(0, 10, count)
        drawn[0] = 1 + drawn[0] % 9
        return "".join(map(str, drawn))


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a canary: `write` it, and any `run` characters of that are a finding."""

    name: str
    write: Callable[[bytes], bytes]
    run: int
    is_folded: bool = False


def _base64(shift: int, *, is_url: bool = False) -> Callable[[bytes], bytes]:
    """Base64 behind `shift` other bytes: only what is the canary's own whatever these are."""

    def write(text: bytes) -> bytes:
        encode = base64.urlsafe_b64encode if is_url else base64.b64encode
        bits = 8 * (shift + len(text))
        return encode(bytes(shift) + text)[-(-8 * shift // 6) : bits // 6]

    return write


def _percent(text: bytes) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in text)


def forms(run: int) -> tuple[Form, ...]:
    """Every way that is searched for, with `run` characters of the canary as the bound."""
    encoded = run * 8 // 6
    return (
        Form("plain", lambda t: t, run),
        Form("lower case", bytes.lower, run, is_folded=True),
        Form("backwards", lambda t: t[::-1], run),
        Form("backwards, lower case", lambda t: t[::-1].lower(), run, is_folded=True),
        Form("hexadecimal", lambda t: t.hex().encode(), 2 * run, is_folded=True),
        Form("percent-encoded", _percent, 3 * run, is_folded=True),
        *(Form(f"base64+{n}", _base64(n), encoded) for n in range(3)),
        *(Form(f"base64url+{n}", _base64(n, is_url=True), encoded) for n in range(3)),
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """A run of a canary in a piece of evidence."""

    form: str
    label: str


@dataclass(frozen=True, slots=True)
class _Needles:
    form: Form
    written: bytes
    keys: Words


@dataclass(slots=True)
class Evidence:
    """Everything that left the service, to be searched at once."""

    pieces: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, label: str, content: bytes) -> None:
        """Keep one piece."""
        self.pieces.append((label, content))

    @property
    def size(self) -> int:
        """How many bytes were kept."""
        return sum(len(content) for _, content in self.pieces)


class Searcher:
    """Looks for a set of canaries."""

    def __init__(self, canaries: Iterable[str]) -> None:
        """Prepare every form of every canary."""
        groups: dict[int, list[bytes]] = {}
        for text in canaries:
            run = DIGIT_RUN if text.isdecimal() else RUN
            groups.setdefault(run, []).append(text.encode())
        self._needles = [
            _needles(form, texts) for run, texts in groups.items() for form in forms(run)
        ]

    def search(self, evidence: Evidence) -> set[Finding]:
        """All findings, one for each form and piece."""
        found: set[Finding] = set()
        starts, whole = _joined(evidence.pieces)
        for folded in (False, True):
            text = whole.lower() if folded else whole
            mine = [one for one in self._needles if one.form.is_folded is folded]
            for at in _candidates(text, np.sort(np.concatenate([n.keys for n in mine]))):
                for needles in mine:
                    if text[at : at + needles.form.run] in needles.written:
                        piece = int(np.searchsorted(starts, at, side="right")) - 1
                        found.add(Finding(needles.form.name, evidence.pieces[piece][0]))
        return found


def _needles(form: Form, texts: Sequence[bytes]) -> _Needles:
    written = [form.write(text) for text in texts]
    keys = [_words_at(one, range(len(one) - form.run + 1)) for one in written]
    return _Needles(form, b"\xff".join(written), np.concatenate(keys))


def _words_at(text: bytes, places: Iterable[int]) -> Words:
    return np.frombuffer(b"".join(text[at : at + WORD] for at in places), np.uint64)


def _joined(pieces: Sequence[tuple[str, bytes]]) -> tuple[NDArray[np.int64], bytes]:
    """All pieces in one, apart from each other by bytes that no canary holds."""
    apart = b"\xff" * WORD
    lengths = [len(content) + WORD for _, content in pieces]
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
    return starts, apart.join(content for _, content in pieces) + apart


def _candidates(text: bytes, keys: Words) -> list[int]:
    """Where a word of `keys` stands in `text`."""
    is_key = np.zeros(1 << _BLOOM_BITS, bool)
    is_key[_slot(keys)] = True
    found: list[int] = []
    for offset in range(WORD):
        count = (len(text) - offset) // WORD
        words = np.frombuffer(text, np.uint64, count, offset)
        likely = np.flatnonzero(is_key[_slot(words)])
        places = np.searchsorted(keys, words[likely]).clip(max=len(keys) - 1)
        sure = likely[keys[places] == words[likely]]
        found.extend((sure * WORD + offset).tolist())
    return sorted(found)


def _slot(words: Words) -> Words:
    with np.errstate(over="ignore"):
        return (words * _MIX) >> np.uint64(64 - _BLOOM_BITS)
