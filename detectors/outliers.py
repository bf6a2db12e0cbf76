"""A second opinion on whole working days: PyOD's ECOD, frozen.

ECOD asks how far out a day lies in each dimension of its own empirical distribution. PyOD's
implementation is transductive: it keeps the training set, recomputes every ECDF for each call, and
its score of a row depends on the batch. So PyOD fits (`fit`, in the background: the import alone
takes seconds and hundreds of megabytes), and what is kept is plain arrays: quantile knots per
dimension, and the training scores that PyOD itself computed, which give a score its chance.
Frozen scoring is a few microseconds, the same for one row as for many, and its terms per dimension
are the explanation. ECOD's skewness term never exceeds the larger of both tails and is left out.

It raises `FindingKind.OUTLIER` of low severity, once a working day is over. It never delays or
changes another finding.
"""

import hashlib
import hmac
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from detectors.errors import StateError
from detectors.state import AgentState

Floats = NDArray[np.float64]

FEATURES: tuple[tuple[str, str], ...] = (
    ("volume", "number of customers seen"),
    ("unexplained", "share of views without a reason"),
    ("hot", "share of unexplained views in quick succession"),
    ("stale", "share of views on closed cases"),
    ("self_opened", "share of views on self-opened cases"),
    ("off_shift", "share of weakly explained views outside the shift"),
    ("protected", "share of weakly explained views of protected customers"),
    ("walk", "share of views next to each other"),
    ("rhythm", "share of views at an even beat"),
    ("related", "share of views of related accounts"),
    ("misses", "searches that found nobody"),
    ("pace", "time between customers"),
    ("sensitive", "sensitive fields per view"),
)
# Channels behind the share features, by place in the registry.
_SHARES = (0, 1, 2, 3, 4, 5, 6, 7, 8)
_MISSES = 9

# Days needed before a fit means anything, and days kept.
ENOUGH_ROWS = 300
ROWS_KEPT = 4000
# A working day below this many looks is too short to compare.
LOOKS_OF_A_DAY = 8
KNOTS = 257
# The tail of the scores begins at the upper tenth. Days of one agent resemble each other, so it is
# fitted on fewer than it seems.
UPPER, SLOPE_INFLATION, LEAST_SLOPE = 0.1, 1.5, 1e-6
FORMAT_V1 = b"\x01"
_MAC = 32


@dataclass(frozen=True, slots=True)
class Outlier:
    """A scored day: minus the log of its chance, and the dimensions that made it, largest first."""

    score: float
    terms: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FrozenEcod:
    """What is left of a fitted ECOD: knots (dimension x quantile), training scores, rows fitted."""

    knots: Floats
    scores: Floats
    rows: int

    def score(self, row: Sequence[float]) -> Outlier:
        """Score one day by the frozen distributions."""
        terms = self._terms(np.asarray(row, dtype=np.float64))
        order = np.argsort(-terms, kind="stable")
        named = tuple((FEATURES[i][0], float(terms[i])) for i in order)
        return Outlier(self._chance(float(terms.sum())), named)

    def _terms(self, row: Floats) -> Floats:
        """Per dimension minus the log of the rarer tail, as ECOD takes it."""
        last = self.knots.shape[1] - 1
        least = 1.0 / (self.rows + 1)
        terms = np.empty(len(row))
        for i, (value, knots) in enumerate(zip(row, self.knots, strict=True)):
            at_most = np.searchsorted(knots, value, "right") / (last + 1)
            at_least = 1 - np.searchsorted(knots, value, "left") / (last + 1)
            terms[i] = max(0.0, -log(max(min(at_most, at_least), least)))
        return terms

    def _chance(self, total: float) -> float:
        """Minus the log of the chance of this score: a rank, and beyond it an exponential tail."""
        upper = int((1 - UPPER) * (len(self.scores) - 1))
        start = float(self.scores[upper])
        if total <= start:
            rank = np.searchsorted(self.scores, total, "left") / len(self.scores)
            return -log(max(1 - float(rank), UPPER))
        slope = max(float((self.scores[upper:] - start).mean()), LEAST_SLOPE) * SLOPE_INFLATION
        return -log(UPPER) + (total - start) / slope


def features(state: AgentState) -> list[float] | None:
    """The row of an agent's running day, per look where that makes sense; None: too short."""
    today = state.today
    if today.looks < LOOKS_OF_A_DAY:
        return None
    usual = [d.looks for d in state.days if d.looks >= LOOKS_OF_A_DAY]
    volume = log(today.looks / (sum(usual) / len(usual))) if usual else 0.0
    shares = [today.hits[k] / today.looks for k in _SHARES]
    misses = today.hits[_MISSES] / (today.searches + 1)
    pace = today.gap_log / today.gaps if today.gaps else 0.0
    return [volume, *shares, misses, pace, today.sensitive / today.looks]


def fit(rows: Sequence[Sequence[float]]) -> FrozenEcod | None:
    """Fit PyOD's ECOD on daily rows and freeze it; None when there are too few.

    Slow (seconds) and memory-hungry on the first call: for a background thread of the worker.
    """
    if len(rows) < ENOUGH_ROWS:
        return None
    # pyod brings no types; it is imported here because that takes about 3 s and 270 MB.
    from pyod.models.ecod import ECOD  # type: ignore[import-untyped]  # noqa: PLC0415 - see above

    table = np.asarray(rows, dtype=np.float64)
    # A dimension without any spread has no tails; ECOD's skewness is undefined on it.
    varied = table[:, table.std(axis=0) > 0]
    if varied.shape[1] == 0:
        return None
    model = ECOD(contamination=0.01)
    model.fit(varied)
    return FrozenEcod(
        knots=np.quantile(table, np.linspace(0.0, 1.0, KNOTS), axis=0, method="nearest").T.copy(),
        scores=np.sort(np.asarray(model.decision_scores_, dtype=np.float64)),
        rows=len(rows),
    )


def seal(model: FrozenEcod, key: bytes) -> bytes:
    """Write a frozen model as version byte, HMAC-SHA-256 under the caller's key, and npz bytes."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        knots=model.knots,
        scores=model.scores,
        rows=np.array([model.rows]),
    )
    body = buffer.getvalue()
    return FORMAT_V1 + _mac(key, body) + body


def unseal(sealed: bytes, key: bytes) -> FrozenEcod:
    """Read what `seal` wrote.

    Raises:
        StateError: Another version, or bytes that this key did not seal.
    """
    version, mac, body = sealed[:1], sealed[1 : 1 + _MAC], sealed[1 + _MAC :]
    if version != FORMAT_V1:
        raise StateError("the outlier model has an unknown version, fit it anew")
    if not hmac.compare_digest(mac, _mac(key, body)):
        raise StateError("the outlier model was not sealed by this key, fit it anew")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return FrozenEcod(
            knots=np.asarray(arrays["knots"], dtype=np.float64),
            scores=np.asarray(arrays["scores"], dtype=np.float64),
            rows=int(arrays["rows"][0]),
        )


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, FORMAT_V1 + body, hashlib.sha256).digest()
