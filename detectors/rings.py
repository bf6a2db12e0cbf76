"""Groups: several agents, each below the line, who lack reasons together.

A ring that splits its customers shares none, so co-access does not show it. What shows it is the
*co-absence of reasons*: more members of one reporting line (or team, where there is no line) stand
above the honest upper twentieth than chance allows. A second term counts customers whom two members
saw without a reason within a week, against what their numbers lead one to expect.

Chances, not weights: under honest work an agent's recent score is about exponential, so the number
of members beyond `ABOVE` is binomial and the sum of their excesses is a gamma sum. A group gets ONE
finding that names members and hub. A single member, however bad, is no ring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, exp, log

from detectors.state import AgentState, FloorState
from guard.clock import DAY, Micros

# How long a member's worst day, and a shared customer, count.
WINDOW = 7
WEEK: Micros = WINDOW * DAY
# A member stands out beyond the upper twentieth of honest agents, and counts at most this much, so
# that one loud agent cannot make its whole team a ring.
ABOVE = 3.0
MOST = 8.0
FEWEST = 2
# Memory of weak views per customer; more than this many agents on one customer is the news.
VIEWERS_KEPT = 8
PAIRS_KEPT = 50
# A chance below this is a rounding error.
LEAST_CHANCE = 1e-300
# Never expect fewer shared customers than this: two people err on the same one at times.
LEAST_EXPECTED = 0.05


@dataclass(frozen=True, slots=True)
class Ring:
    """A group that stands out: its name, who, under whom, how unlikely, and the two terms."""

    key: str
    hub: str
    members: tuple[str, ...]
    size: int
    statistic: float
    together: float
    sharing: float
    shared: int
    expected_shared: float


def note_weak_view(floor: FloorState, customer: str, agent_id: str, now: Micros) -> None:
    """Remember who saw a customer without a reason, and count pairs who did within a week."""
    viewers = [v for v in floor.sharing.get(customer, []) if v[0] > now - WEEK]
    others = {a for _, a in viewers if a != agent_id}
    if len(viewers) < VIEWERS_KEPT and agent_id not in {a for _, a in viewers}:
        for other in sorted(others):
            key = "\n".join(sorted((agent_id, other)))
            floor.pairs[key] = [*floor.pairs.get(key, [])[-PAIRS_KEPT:], now]
        viewers.append((now, agent_id))
    floor.sharing[customer] = viewers


def forget(floor: FloorState) -> None:
    """Drop what is older than the window."""
    edge = floor.now - WEEK
    floor.sharing = {c: v for c, v in floor.sharing.items() if v and v[-1][0] > edge}
    kept = {k: [t for t in times if t > edge] for k, times in floor.pairs.items()}
    floor.pairs = {k: times for k, times in kept.items() if times}


def recent_score(state: AgentState, now: Micros) -> float:
    """An agent's worst score of the week, corrected for having looked at several days."""
    edge = now // DAY - WINDOW
    scores = [log_day.score for log_day in state.days if log_day.day > edge]
    if state.today.day > edge:
        scores.append(state.today.score)
    if not scores:
        return 0.0
    return max(0.0, max(scores) - log(len(scores)))


def groups_of(floor: FloorState) -> dict[str, list[str]]:
    """Members by reporting line, with the lead; agents without a line by team and site."""
    out: dict[str, list[str]] = {}
    for agent_id in sorted(floor.agents):
        profile = floor.agents[agent_id].profile
        if profile.kind != "human":
            continue
        if profile.manager_id:
            out.setdefault(f"line:{profile.manager_id}", []).append(agent_id)
        elif profile.team:
            out.setdefault(f"team:{profile.vendor}/{profile.team}", []).append(agent_id)
    for key, members in out.items():
        lead = key.removeprefix("line:")
        if key.startswith("line:") and lead in floor.agents and lead not in members:
            members.append(lead)
    return out


def judge(floor: FloorState, key: str, members: Sequence[str]) -> Ring | None:
    """Score one group; None when fewer than two members stand out."""
    scores = {a: recent_score(floor.agents[a], floor.now) for a in members}
    out = tuple(a for a in members if scores[a] > ABOVE)
    if len(out) < FEWEST:
        return None
    beyond = sorted((min(scores[a], MOST) - ABOVE for a in out), reverse=True)
    # The loudest counts as the next one: one bad agent and a colleague's bad day are no ring.
    excess = beyond[1] + sum(beyond[1:])
    together = -log(max(_sum_chance(len(members), excess), LEAST_CHANCE))
    shared, expected = _shared(floor, out)
    sharing = -log(max(_poisson_tail(shared, expected), LEAST_CHANCE)) if shared else 0.0
    hub = key.removeprefix("line:") if key.startswith("line:") else _most_shared(floor, out)
    return Ring(
        key=key,
        hub=hub,
        members=out,
        size=len(members),
        # Two chances multiplied: Fisher's tail for their sum; few shared customers excuse nobody.
        statistic=max(together, _fisher(together, sharing)),
        together=together,
        sharing=sharing,
        shared=shared,
        expected_shared=expected,
    )


def _sum_chance(n: int, excess: float) -> float:
    """P(two or more of n stand out, with excesses that sum to at least `excess`)."""
    q = exp(-ABOVE)
    total = 0.0
    for k in range(FEWEST, n + 1):
        total += comb(n, k) * q**k * (1 - q) ** (n - k) * _poisson_cdf(k - 1, excess)
    return min(1.0, total)


def _poisson_cdf(k: int, rate: float) -> float:
    term = total = exp(-rate)
    for i in range(1, k + 1):
        term *= rate / i
        total += term
    return min(1.0, total)


def _poisson_tail(k: int, rate: float) -> float:
    """P(X >= k), summed from k upwards so that small chances keep their digits."""
    term = exp(-rate)
    for i in range(1, k + 1):
        term *= rate / i
    total, i = 0.0, k
    while term > total * 1e-12 and i < k + 1000:
        total += term
        i += 1
        term *= rate / i
    return min(1.0, max(total, LEAST_CHANCE))


def _fisher(a: float, b: float) -> float:
    return a + b - log(1 + a + b)


def _shared(floor: FloorState, members: Sequence[str]) -> tuple[int, float]:
    """Customers shared without a reason among `members`, and how many chance would share."""
    weak: dict[str, int] = {}
    edge = floor.now - WEEK
    for viewers in floor.sharing.values():
        for at, agent in viewers:
            if at > edge:
                weak[agent] = weak.get(agent, 0) + 1
    customers = max(len(floor.sharing), 1)
    shared, expected = 0, 0.0
    for i, a in enumerate(members):
        for b in members[i + 1 :]:
            times = floor.pairs.get("\n".join(sorted((a, b))), ())
            shared += sum(1 for t in times if t > edge)
            expected += weak.get(a, 0) * weak.get(b, 0) / customers
    return shared, max(expected, LEAST_EXPECTED)


def _most_shared(floor: FloorState, members: Sequence[str]) -> str:
    counts: Mapping[str, int] = {
        a: sum(len(t) for key, t in floor.pairs.items() if a in key.split("\n")) for a in members
    }
    return max(sorted(counts), key=lambda a: counts[a])
