"""Views by hour, as the numbers that a template draws: an SVG and the table beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from guard.clock import HOUR, Micros

HOURS = 72
BAR_WIDTH = 10
HEIGHT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour: its start, its count, and where its bar stands."""

    start: Micros
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Bars of the last `HOURS` hours, oldest first, scaled to the fullest."""

    bars: Sequence[Bar]
    peak: int
    total: int
    width: int = HOURS * BAR_WIDTH
    height: int = HEIGHT


def by_hour(times: Iterable[Micros], now: Micros) -> Histogram:
    """Count `times` by clock hour up to the hour of `now`; older and later ones are left out."""
    first = now // HOUR - HOURS + 1
    counts = [0] * HOURS
    for at in times:
        place = at // HOUR - first
        if 0 <= place < HOURS:
            counts[place] += 1
    peak = max(counts)
    bars = [
        Bar(
            start=(first + n) * HOUR,
            count=count,
            x=n * BAR_WIDTH,
            y=HEIGHT - _scaled(count, peak),
            height=_scaled(count, peak),
        )
        for n, count in enumerate(counts)
    ]
    return Histogram(bars=bars, peak=peak, total=sum(counts))


def _scaled(count: int, peak: int) -> int:
    """At least one pixel for anything at all, so that a single view does not vanish."""
    return 0 if count == 0 else max(1, round(count * HEIGHT / peak))
