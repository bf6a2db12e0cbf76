"""From leaked customers back to agents: who saw more of them than their work explains?

Given the ids found in a leak, three questions are answered:

* *lift*: each agent's overlap with the leak against what its workload alone would give
  (hypergeometric: n customers seen of N, K leaked, k in common);
* *sources*: expectation-maximisation over the leaked customers, each seen by several agents, gives
  the smallest set of sources that explains the leak: a colleague who merely shares customers with
  the source loses the weight to it;
* *exoneration*: agents whose overlap is no more than chance, or who cannot have been the source of
  more than a sliver, by name, so that nobody is dismissed because nobody can tell.

It works on sets, not on guilt: a high lift is a reason to look at the ledger, no more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import exp, lgamma

from guard.clock import Micros
from guard.events import AccessAction, AccessEvent

# Weight of a source that is in no log: a leak need not come from the floor at all.
OUTSIDE = "outside"
OUTSIDE_WEIGHT = 0.02
ROUNDS = 200
SETTLED = 1e-9
# Corrected for the number of agents; below this an overlap is no longer chance.
SUSPICIOUS = 0.01
# Agents with an overlap no rarer than this, and less than a sliver of weight, are exonerated.
ORDINARY = 0.05
SLIVER = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One agent against the leak.

    `chance` is the probability of so much overlap by workload alone, corrected for the number of
    agents; `weight` the share of the leak that the source model gives to this agent.
    """

    agent_id: str
    seen: int
    overlap: int
    expected: float
    lift: float
    chance: float
    weight: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Suspects by weight, exonerated agents by name, and how much of the leak nobody saw."""

    suspects: tuple[Suspect, ...]
    exonerated: tuple[str, ...]
    leaked: int
    unseen: int
    outside: float


# A yes or no shows nothing that could leak, and a team sees the same queue all day.
_SHOWS_LITTLE = frozenset({AccessAction.LIST, AccessAction.VERIFY})


def attribute(
    events: Iterable[AccessEvent],
    leaked: Collection[str],
    *,
    until: Micros | None = None,
    population: int | None = None,
) -> Attribution:
    """Trace leaked customer ids to agents.

    Args:
        events: The accesses to consider; failed and refused ones showed nothing and are skipped,
            as are rows of a queue: a team sees the same ones all day.
        leaked: Ids of the leaked customers.
        until: When the leak was known; later views are skipped.
        population: All customers there are (default: all that appear).
    """
    wanted = frozenset(leaked)
    seen: dict[str, set[str]] = {}
    for event in events:
        if event.action in _SHOWS_LITTLE:
            continue
        if event.outcome == "permitted" and (until is None or event.ts <= until):
            seen.setdefault(event.agent_id, set()).add(event.customer_id)
    everyone = frozenset().union(*seen.values()) if seen else frozenset()
    size = max(population or 0, len(everyone | wanted))
    overlaps = {agent: customers & wanted for agent, customers in seen.items()}
    weights = _sources(overlaps, seen, wanted & everyone)
    judged = [
        _judge(agent, (size, len(wanted), len(seen[agent]), len(overlaps[agent])), weights, seen)
        for agent in sorted(seen)
    ]
    suspects = [s for s in judged if s.chance < SUSPICIOUS and s.weight >= SLIVER]
    names = {s.agent_id for s in suspects}
    return Attribution(
        suspects=tuple(sorted(suspects, key=lambda s: (-s.weight, s.agent_id))),
        exonerated=tuple(
            s.agent_id
            for s in judged
            if s.agent_id not in names and (s.chance >= ORDINARY or s.weight < SLIVER)
        ),
        leaked=len(wanted),
        unseen=len(wanted - everyone),
        outside=weights[OUTSIDE],
    )


def hypergeometric_tail(size: int, marked: int, drawn: int, at_least: int) -> float:
    """P(at least so many marked ones among `drawn` of `size`, of which `marked` are marked)."""
    total = 0.0
    for k in range(max(at_least, drawn + marked - size, 0), min(drawn, marked) + 1):
        total += exp(
            _log_choose(marked, k)
            + _log_choose(size - marked, drawn - k)
            - _log_choose(size, drawn)
        )
    return min(1.0, total)


def _judge(
    agent: str,
    counts: tuple[int, int, int, int],
    weights: Mapping[str, float],
    seen: Mapping[str, set[str]],
) -> Suspect:
    size, marked, drawn, overlap = counts
    expected = drawn * marked / size if size else 0.0
    lift = overlap / expected if expected else 0.0
    chance = min(1.0, hypergeometric_tail(size, marked, drawn, overlap) * len(seen))
    return Suspect(
        agent_id=agent,
        seen=drawn,
        overlap=overlap,
        expected=expected,
        lift=lift,
        chance=chance,
        weight=weights.get(agent, 0.0),
        sentence=(
            f"this agent saw {overlap} of the {marked} leaked customers; from {drawn} customers"
            f" seen one would expect {expected:.1f}"
        ),
    )


def _sources(
    overlaps: Mapping[str, set[str]], seen: Mapping[str, set[str]], leaked: frozenset[str]
) -> dict[str, float]:
    """EM for a mixture: each leaked customer came from one agent who saw it, or from outside.

    A source gives away customers out of all it saw, so having seen fewer others speaks for it:
    the likelihood of a leaked customer under an agent is one over what the agent saw.
    """
    agents = sorted(a for a, both in overlaps.items() if both)
    weights = {a: (1 - OUTSIDE_WEIGHT) / max(len(agents), 1) for a in agents}
    weights[OUTSIDE] = OUTSIDE_WEIGHT
    if not leaked:
        return weights
    far = 1.0 / max(1, len(frozenset().union(*seen.values())))
    viewers = {c: [a for a in agents if c in overlaps[a]] for c in sorted(leaked)}
    like = {a: 1.0 / len(seen[a]) for a in agents} | {OUTSIDE: far}
    for _ in range(ROUNDS):
        fresh = dict.fromkeys(weights, 0.0)
        for who in viewers.values():
            parts = {a: weights[a] * like[a] for a in (*who, OUTSIDE)}
            total = sum(parts.values())
            for a, part in parts.items():
                fresh[a] += part / total / len(viewers)
        moved = max(abs(fresh[a] - weights[a]) for a in weights)
        weights = fresh
        if moved < SETTLED:
            break
    return weights


def _log_choose(n: int, k: int) -> float:
    if k < 0 or k > n:
        return float("-inf")
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
