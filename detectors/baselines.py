"""How often each channel says yes in normal times: for an agent, and for its peers.

A beta prior pulls every rate towards the next larger group: self -> team -> vendor -> role ->
floor -> the channel's own prior. Two rates leave here for each agent and channel:

* `normal`: the agent's own rate, capped by a high quantile of its peers, so that nobody earns a
  licence by behaving badly for long;
* `peers`: the same without the agent's own past, the twin that somebody who was dishonest from the
  first day cannot poison.

Rates change only at ticks and when an agent begins a working day, never within one.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from detectors.channels import CHANNELS
from detectors.state import AgentState, FloorState, GroupRates
from guard.events import AgentProfile

N = len(CHANNELS)
# Looks that a parent's rate is worth. An agent's own past counts after about two working days.
SELF_STRENGTH = 80.0
GROUP_STRENGTH = 300.0
# Fewer members than this say nothing about a quantile; the parent's is used.
CROWD = 5
CAP_QUANTILE = 0.8
# A member counts at most this many times the group's median, so that a few bad ones do not move it.
WINSOR = 2.5
# Nothing is so rare that one *yes* may count for more than about four nats.
RATE_FLOOR, RATE_CEILING = 0.003, 0.98
# About fourteen working days until a look counts half.
MEMORY_PER_DAY = 0.95
# A day may teach at most this many times the peers' rate: a ramp must not become normal.
LESSON = 3.0

PRIORS: tuple[float, ...] = tuple(channel.prior for channel in CHANNELS)
TRIALS: tuple[int, ...] = tuple(int(channel.trial) for channel in CHANNELS)


def group_keys(profile: AgentProfile) -> tuple[str, str, str, str]:
    """The peer groups of an agent, smallest first: team, vendor, role, floor."""
    role = f"{profile.kind}/{profile.role}"
    return (
        f"team|{role}|{profile.vendor}|{profile.team}",
        f"vendor|{role}|{profile.vendor}",
        f"role|{role}",
        "floor",
    )


def learn_day(state: AgentState) -> None:
    """Take a finished working day into the agent's own past; an alarmed day teaches nothing."""
    today = state.today
    if state.episode is not None:
        return
    state.looks = state.looks * MEMORY_PER_DAY + today.looks
    state.searches = state.searches * MEMORY_PER_DAY + today.searches
    state.verifications = state.verifications * MEMORY_PER_DAY + today.verifications
    for k in range(N):
        trials = (today.looks, today.searches, today.verifications)[TRIALS[k]]
        most = LESSON * state.peers[k] * trials + 1.0
        state.hits[k] = state.hits[k] * MEMORY_PER_DAY + min(float(today.hits[k]), most)


def _past(state: AgentState) -> tuple[float, float, float]:
    """What is remembered of each kind of trial."""
    return state.looks, state.searches, state.verifications


def refresh_agent(state: AgentState, groups: dict[str, GroupRates]) -> None:
    """Set `normal` and `peers` of one agent from its past and the groups' rates."""
    own = _smallest_known(state.profile, groups)
    peers = list(own.rates) if own is not None else list(PRIORS)
    caps = own.caps if own is not None else PRIORS
    normal = []
    for k in range(N):
        trials = _past(state)[TRIALS[k]]
        mine = (state.hits[k] + SELF_STRENGTH * peers[k]) / (trials + SELF_STRENGTH)
        normal.append(_clip(min(mine, max(caps[k], peers[k]))))
    state.normal, state.peers = normal, [_clip(p) for p in peers]


def refresh_groups(floor: FloorState) -> None:
    """Recompute every group's rates from its members' pasts, largest group first."""
    members: dict[str, list[AgentState]] = {}
    parents: dict[str, str | None] = {}
    for agent_id in sorted(floor.agents):
        state = floor.agents[agent_id]
        keys = group_keys(state.profile)
        for key, parent in zip(keys, [*keys[1:], None], strict=True):
            parents[key] = parent
            members.setdefault(key, []).append(state)
    fresh: dict[str, GroupRates] = {}
    for level in ("floor", "role|", "vendor|", "team|"):
        for key in sorted(k for k in members if k.startswith(level)):
            parent = parents[key]
            above = fresh[parent] if parent is not None else GroupRates(list(PRIORS), [], 0)
            fresh[key] = _group(members[key], above)
    floor.groups = fresh


def _group(members: Sequence[AgentState], above: GroupRates) -> GroupRates:
    hits = np.array([m.hits for m in members])
    looks = np.array([[_past(m)[t] for t in TRIALS] for m in members])
    parent = np.array(above.rates)
    shrunk = (hits + SELF_STRENGTH * parent) / (looks + SELF_STRENGTH)
    most = WINSOR * np.median(shrunk, axis=0)
    tamed = np.minimum(hits, most * looks)
    rates = (tamed.sum(axis=0) + GROUP_STRENGTH * parent) / (looks.sum(axis=0) + GROUP_STRENGTH)
    if len(members) >= CROWD or not above.caps:
        caps = np.maximum(np.quantile(shrunk, CAP_QUANTILE, axis=0), rates)
    else:
        caps = np.maximum(np.array(above.caps), rates)
    return GroupRates(rates.tolist(), caps.tolist(), len(members))


def _smallest_known(profile: AgentProfile, groups: dict[str, GroupRates]) -> GroupRates | None:
    known: Iterable[GroupRates] = (groups[k] for k in group_keys(profile) if k in groups)
    return next(iter(known), None)


def _clip(rate: float) -> float:
    return min(max(rate, RATE_FLOOR), RATE_CEILING)
