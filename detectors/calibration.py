"""From statistics to chances: one scale for all channels, and one budget of false alerts.

A statistic's daily maximum on honest agent-days is described by a conformal rank up to its upper
tenth and by an exponential tail beyond. The score of a value is minus the natural logarithm of the
chance that an honest agent-day goes beyond it. The best score over all statistics is again
calibrated the same way on the same agent-days, which pays for looking at many statistics at once.

Exchangeability does not hold on a real floor (surges, moves, news), so tails are inflated on
purpose: by their own standard error, and by `INFLATION`. The realised false alerts are reported
next to the nominal ones in `docs/detectors/index.md`.
"""

from collections.abc import Mapping, Sequence
from math import exp, log

import numpy as np

from detectors.cusum import STATS
from detectors.state import Calibration, Tail

# One false alert in a thousand agent-days.
BUDGET = 1 / 1000
INFLATION = 1.25
# The exponential tail begins at the upper tenth.
TAIL_SHARE = 0.10
# The most extreme of the tail's days do not shape it: they may be somebody's habit.
TRIM = 0.95
# The default tail counts as so many days beyond the start, so that a handful of real ones neither
# thins nor fattens a tail alone; with fewer than this it is also taken no rarer than `RAREST`.
PRIOR_DAYS, RAREST = 12, 0.02
# A CUSUM in nats has a tail of about exp(-x) when the model is right; it is never assumed better.
LEAST_SLOPE = 1.0
# Below this many agent-days there is nothing to fit, and the defaults stand.
ENOUGH = 150

# On a floor where hardly anything happens the best of many statistics is still the best of many.
TOP_START, TOP_SHARE = 2.3, 0.08

# Without history: about thirty looks a day give thirty chances, hence a start at log(30) nats.
DEFAULT_STAT = Tail(3.4, TAIL_SHARE, 1.5)
DEFAULT_TOP = Tail(4.6, TAIL_SHARE, 1.5)
DEFAULT_GROUP = Tail(2.3, TAIL_SHARE, 1.5)


def threshold(budget: float) -> float:
    """The score at which a budget (a chance per agent-day) is spent."""
    return -log(budget)


def score(tail: Tail, value: float) -> float:
    """Minus the log of the chance to go beyond `value`; grows without bound, 0 at 0."""
    first = -log(tail.share)
    if value <= tail.start:
        return first * value / tail.start if tail.start > 0 else 0.0
    return first + (value - tail.start) / tail.slope


def chance(tail: Tail, value: float) -> float:
    """The chance that an honest agent-day goes beyond `value`."""
    return exp(-score(tail, value))


def fit_tail(values: Sequence[float], n: int, fallback: Tail) -> Tail:
    """Fit one tail to the daily maxima of `n` agent-days; `values` may leave out the zeros."""
    if n < ENOUGH:
        return fallback
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    ordered = np.concatenate([np.zeros(max(0, n - len(ordered))), ordered])
    start = float(np.quantile(ordered, 1 - TAIL_SHARE))
    beyond = ordered[ordered > start]
    # One more than was seen: a conformal rank never promises less than it could have missed.
    share = min((len(beyond) + 1) / (n + 1), 2 * TAIL_SHARE)
    k = len(beyond)
    excess = np.minimum(beyond, np.quantile(beyond, TRIM)) - start if k else beyond
    prior = PRIOR_DAYS * fallback.slope / INFLATION
    slope = (float(excess.sum()) + prior) / (k + PRIOR_DAYS)
    slope *= (1 + 1 / (k + PRIOR_DAYS) ** 0.5) * INFLATION
    if k < PRIOR_DAYS:
        share = max(share, RAREST)
    return Tail(start, share, max(slope, LEAST_SLOPE * INFLATION))


def best(calibration: Calibration, values: Mapping[int, float]) -> float:
    """The highest score over statistics that are above zero."""
    tails = calibration.stats
    if not tails:
        return max((score(DEFAULT_STAT, v) for v in values.values()), default=0.0)
    return max((score(tails[stat], v) for stat, v in values.items()), default=0.0)


def fit_groups(days: Sequence[float]) -> Tail:
    """Calibrate groups on the daily maxima of their statistic, zeros included."""
    return fit_tail(days, len(days), DEFAULT_GROUP)


def fit(days: Sequence[tuple[str, Mapping[int, float]]]) -> Calibration:
    """Calibrate agents on warm-up days: (stratum, daily maximum per statistic)."""
    n = len(days)
    per_stat: list[list[float]] = [[] for _ in range(STATS)]
    for _, peaks in days:
        for stat, value in peaks.items():
            per_stat[stat].append(value)
    out = Calibration(stats=[fit_tail(v, n, DEFAULT_STAT) for v in per_stat], agent_days=n)
    tops: dict[str, list[float]] = {"": []}
    for stratum, peaks in days:
        top = best(out, peaks)
        tops[""].append(top)
        tops.setdefault(stratum, []).append(top)
    whole = _fit_top(tops[""], DEFAULT_TOP)
    out.strata = {name: _fit_top(values, whole) for name, values in tops.items()}
    return out


def _fit_top(values: Sequence[float], fallback: Tail) -> Tail:
    tail = fit_tail(values, len(values), fallback)
    return Tail(max(tail.start, TOP_START), max(tail.share, TOP_SHARE), tail.slope)


def final(calibration: Calibration, stratum: str, top: float) -> float:
    """The score of an agent-day whose best statistic scored `top`."""
    strata = calibration.strata
    return score(strata.get(stratum) or strata.get("") or DEFAULT_TOP, top)
