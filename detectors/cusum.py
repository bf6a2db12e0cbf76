"""Bernoulli CUSUM: when does *now and then* become *too often*?

Each look adds the log likelihood ratio of "too often" against "normal", in nats, and the sum never
falls below zero. Per channel there are four statistics: a fast and a slow clock, each against the
agent's own normal rate and against its peers'. The fast clock has no cap and catches a photographer
within minutes; on the slow clock one working day adds at most `DAY_CAP` nats, so that only what
comes back day after day adds up, and an honest burst does not.

Statistic `4 * channel + 2 * slow + twin`; `since` says when each one last left zero.
"""

from math import log

from detectors.channels import CHANNELS, Trial
from detectors.state import AgentState, Clocks, Proof
from guard.clock import Micros

N = len(CHANNELS)
TRIALS: tuple[int, ...] = tuple(int(channel.trial) for channel in CHANNELS)
# Channels whose answers a missing link causes, and a late one takes back.
LINKED: tuple[bool, ...] = tuple(channel.is_linked for channel in CHANNELS)
PER_CHANNEL = 4
STATS = PER_CHANNEL * N
DAY_CAP = 3.0
# How much worse than normal each clock looks for: odds multiplied, and a least rate.
FAST_ODDS, FAST_LEAST = 8.0, 0.25
SLOW_ODDS, SLOW_LEAST = 3.0, 0.06
# Never listen for more than this; it keeps the price of a *no* finite where *yes* is normal.
MOST = 0.97
# A clock stops here: a dismissed alert or a month of honest work must be able to bring it back.
CEILING = 400.0


def is_slow(stat: int) -> bool:
    """Whether a statistic runs on the slow clock."""
    return stat % PER_CHANNEL >= 2  # noqa: PLR2004 - the layout in the module's docstring


def start(state: AgentState) -> None:
    """Set all clocks to zero."""
    state.clocks = Clocks(
        fast=[0.0] * STATS,
        slow=[0.0] * STATS,
        today=[0.0] * STATS,
        yesterday=[0.0] * STATS,
        trials=[0] * len(Trial),
        since=[0] * STATS,
        up=[0.0] * STATS,
        down=[0.0] * STATS,
    )


def set_steps(state: AgentState) -> None:
    """Compute what a *yes* and a *no* weigh today, from `state.normal` and `state.peers`."""
    clocks = state.clocks
    for k in range(N):
        for twin, rate in enumerate((state.normal[k], state.peers[k])):
            for slow in (0, 1):
                stat = PER_CHANNEL * k + 2 * slow + twin
                worse = _worse(rate, is_fast=not slow)
                clocks.up[stat] = log(worse / rate)
                clocks.down[stat] = log((1 - worse) / (1 - rate))


def step(clocks: Clocks, mask: int, channels: range | tuple[int, ...], now: Micros) -> None:
    """Take one look into the clocks of `channels`; bit k of `mask` is channel k's answer.

    The caller has counted the look in `clocks.trials`. What every look costs on the slow clock is
    taken off when it is read (`value`), so that a *no* is nearly free here.
    """
    fast, down = clocks.fast, clocks.down
    for k in channels:
        base = PER_CHANNEL * k
        if mask >> k & 1:
            _yes(clocks, base, now)
            continue
        if fast[base] > 0.0:
            fast[base] = max(0.0, fast[base] + down[base])
        if fast[base + 1] > 0.0:
            fast[base + 1] = max(0.0, fast[base + 1] + down[base + 1])


def _yes(clocks: Clocks, base: int, now: Micros) -> None:
    fast, since = clocks.fast, clocks.since
    for stat in (base, base + 1):
        if fast[stat] <= 0.0:
            since[stat] = now
        fast[stat] = min(fast[stat] + clocks.up[stat], CEILING)
    for stat in (base + 2, base + 3):
        if value(clocks, stat) <= 0.0:
            since[stat] = now
        clocks.today[stat] += clocks.up[stat] - clocks.down[stat]


def value(clocks: Clocks, stat: int) -> float:
    """Where a statistic stands now."""
    if is_slow(stat):
        return max(0.0, clocks.slow[stat] + min(_day(clocks, stat), DAY_CAP))
    return clocks.fast[stat]


def end_day(clocks: Clocks) -> None:
    """Close a working day: the slow clock takes it in, capped."""
    for k in range(N):
        for stat in (PER_CHANNEL * k + 2, PER_CHANNEL * k + 3):
            day = _day(clocks, stat)
            clocks.slow[stat] = min(max(0.0, clocks.slow[stat] + min(day, DAY_CAP)), CEILING)
            clocks.yesterday[stat] = day
            clocks.today[stat] = 0.0
    clocks.trials = [0] * len(Trial)


def gains(state: AgentState, mask: int, share: float) -> list[float]:
    """What a *yes* on each channel of `mask` gained over a *no*, weather taken off."""
    clocks = state.clocks
    return [
        clocks.up[stat] - _discount(state, stat, share) - clocks.down[stat]
        for stat in stats_of(mask)
    ]


def spare(state: AgentState, mask: int, share: float) -> None:
    """Take weather off the steps just made for `mask`: `share` is what is normal at the moment."""
    clocks = state.clocks
    for stat in stats_of(mask):
        less = _discount(state, stat, share)
        if is_slow(stat):
            clocks.today[stat] -= less
        else:
            clocks.fast[stat] = max(0.0, clocks.fast[stat] - less)


def _discount(state: AgentState, stat: int, share: float) -> float:
    """Nats of a *yes* that `share` explains: all that it is likelier than in normal times."""
    k = stat // PER_CHANNEL
    rate = state.peers[k] if stat % 2 else state.normal[k]
    if share <= rate or not LINKED[k]:
        return 0.0
    return min(log(share / rate), state.clocks.up[stat])


def retract(clocks: Clocks, proof: Proof, mask: int, *, today: int) -> None:
    """Undo a look's *yes* on the channels of `mask`, as if each had said *no*."""
    place = 0
    for k in range(N):
        if not proof.mask >> k & 1:
            continue
        if mask >> k & 1:
            for offset in range(PER_CHANNEL):
                stat = PER_CHANNEL * k + offset
                _take_back(clocks, stat, proof.gains[place + offset], is_today=proof.day == today)
        place += PER_CHANNEL


def _day(clocks: Clocks, stat: int) -> float:
    trials = clocks.trials[TRIALS[stat // PER_CHANNEL]]
    return clocks.today[stat] + trials * clocks.down[stat]


def _take_back(clocks: Clocks, stat: int, gain: float, *, is_today: bool) -> None:
    if not is_slow(stat):
        clocks.fast[stat] = max(0.0, clocks.fast[stat] - gain)
    elif is_today:
        clocks.today[stat] -= gain
    else:
        before = min(clocks.yesterday[stat], DAY_CAP)
        clocks.yesterday[stat] -= gain
        after = min(clocks.yesterday[stat], DAY_CAP)
        clocks.slow[stat] = max(0.0, clocks.slow[stat] + after - before)


def _worse(rate: float, *, is_fast: bool) -> float:
    odds, least = (FAST_ODDS, FAST_LEAST) if is_fast else (SLOW_ODDS, SLOW_LEAST)
    raised = odds * rate / (1 - rate)
    return min(max(raised / (1 + raised), rate + least), max(MOST, (1 + rate) / 2))


def stats_of(mask: int) -> list[int]:
    """The statistics of the channels in `mask`."""
    return [stat for stat in range(STATS) if mask >> (stat // PER_CHANNEL) & 1]
