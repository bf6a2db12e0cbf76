"""What the detectors find on the simulated floor, next to an embarrassingly simple baseline.

    python -m benchmarks.detect_floor [--first 1] [--seeds 3] [--warm 14] [--live 10]

Prints Markdown for docs/detectors/index.md: false alerts per 1,000 honest agent-days next to the
nominal one, then per habit how many insiders were found, after how many days at work, and how many
records they had seen by then; last the CPU time per event. The baseline flags a day on which an
agent saw more customers than its own mean plus three standard deviations in the warm-up.
"""

import argparse
import statistics
import time
from dataclasses import dataclass, field

from detectors.floor import Floor, Habit, Insider
from detectors.floor_actions import HONEST, View
from detectors.pipeline import Pipeline
from guard.clock import DAY, Micros, from_rfc3339
from guard.events import AccessEvent, History
from guard.findings import Finding, FindingKind

START = from_rfc3339("2026-03-02T00:00:00Z")
SIGMAS = 3.0


@dataclass(slots=True)
class Tally:
    """What one method did with one habit."""

    agents: int = 0
    found: int = 0
    delays: list[float] = field(default_factory=list)
    exposed: list[int] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)

    def take(self, at: Micros | None, begin: Micros, looks: list[Micros]) -> None:
        """Count one insider, who was found at `at` (None: not at all)."""
        self.agents += 1
        seen = sum(1 for look in looks if at is None or look <= at)
        self.saved.append(1 - seen / len(looks))
        if at is not None:
            self.found += 1
            self.delays.append((at - begin) / DAY)
            self.exposed.append(seen)

    def row(self, *names: str) -> str:
        """One Markdown row."""
        delay = f"{statistics.median(self.delays):.1f}" if self.delays else "-"
        exposed = f"{statistics.median(self.exposed):.0f}" if self.exposed else "-"
        most = f"{max(self.exposed)}" if self.exposed else "-"
        saved = f"{100 * statistics.mean(self.saved):.0f} %"
        cells = (*names, f"{self.found} of {self.agents}", delay, exposed, most, saved)
        return "| " + " | ".join(cells) + " |"


def volumes(history: History) -> dict[str, dict[int, int]]:
    """Distinct customers per agent and day."""
    seen: dict[str, dict[int, set[str]]] = {}
    for event in history.events:
        if isinstance(event, AccessEvent):
            days = seen.setdefault(event.agent_id, {})
            days.setdefault(event.ts // DAY, set()).add(event.customer_id)
    return {a: {d: len(c) for d, c in days.items()} for a, days in seen.items()}


def three_sigma(warm: History, live: History) -> dict[str, Micros]:
    """The baseline: per agent the end of the first day beyond mean + 3 standard deviations."""
    limits = {
        agent: statistics.mean(days.values()) + SIGMAS * statistics.pstdev(days.values())
        for agent, days in volumes(warm).items()
    }
    out: dict[str, Micros] = {}
    for agent, days in volumes(live).items():
        over = [d for d, n in sorted(days.items()) if n > limits.get(agent, float("inf"))]
        if over:
            out[agent] = (over[0] + 1) * DAY
    return out


def first_alerts(findings: list[Finding]) -> dict[str, Micros]:
    """Per agent, the first finding that names it (outliers are a second opinion, not an alert)."""
    out: dict[str, Micros] = {}
    for finding in findings:
        if finding.kind is not FindingKind.OUTLIER:
            for agent in finding.agent_ids:
                out.setdefault(agent, finding.raised_at)
    return out


def insiders_of(habit: Habit, floor: Floor) -> Insider:
    """Three agents with a habit: under one lead for a ring, else spread over the floor."""
    front = floor.front_line()
    if habit is Habit.RING:
        team = [a for a in floor.members("lead02") if a in front]
        return Insider(habit=habit, agents=tuple(team[:3]))
    return Insider(habit=habit, agents=(front[3], front[len(front) // 2], front[-5]))


def main() -> None:
    """Run all seeds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--warm", type=int, default=14)
    parser.add_argument("--live", type=int, default=10)
    args = parser.parse_args()
    days = range(args.warm, args.warm + args.live)
    begin = START + args.warm * DAY
    agent_days, false = 0, {"recordguard": 0, "3-sigma volume": 0}
    tallies = {(m, h): Tally() for m in false for h in Habit}
    rings_named, seconds, events = 0, 0.0, 0
    for seed in range(args.first, args.first + args.seeds):
        floor = Floor.build(seed, START)
        warm = floor.history(range(args.warm))
        pipeline = Pipeline()
        pipeline.warm_up(warm)
        state = pipeline.state()
        honest = floor.history(days)
        clock = time.process_time()
        findings = pipeline.replay(honest)
        seconds += time.process_time() - clock
        events += len(honest.events)
        agent_days += sum(len(d) for d in volumes(honest).values())
        false["recordguard"] += len({f.key for f in findings})
        false["3-sigma volume"] += len(three_sigma(warm, honest))
        for habit in Habit:
            insider = insiders_of(habit, floor)
            breached = floor.with_insiders(insider)
            live = breached.history(days)
            found = Pipeline.from_state(state).replay(live)
            alerts = {"recordguard": first_alerts(found), "3-sigma volume": three_sigma(warm, live)}
            looks = bad_looks(breached, days)
            for agent in insider.agents:
                for method, at in alerts.items():
                    tallies[method, habit].take(at.get(agent), begin, looks[agent])
            if habit is Habit.RING:
                rings = [f for f in found if f.kind is FindingKind.RING]
                rings_named += any(set(insider.agents) <= set(f.agent_ids) for f in rings)
    report(args.seeds, agent_days, false, tallies)
    print(f"\nRings with all three members in one finding: {rings_named} of {args.seeds}.")
    print(f"CPU time per event: {1e6 * seconds / events:.0f} us over {events} events.")


def report(
    seeds: int, agent_days: int, false: dict[str, int], tallies: dict[tuple[str, Habit], Tally]
) -> None:
    """Print the tables."""
    print(f"Honest floor: {agent_days} agent-days, {seeds} seeds.\n")
    print("| method | false matters | per 1,000 agent-days | nominal |\n| --- | --- | --- | --- |")
    for method, count in false.items():
        nominal = "1" if method == "recordguard" else "1.35"
        print(f"| {method} | {count} | {1000 * count / agent_days:.2f} | {nominal} |")
    print("\n| habit | method | found | days (median) | records (median) | (most) | saved |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (method, habit), tally in sorted(tallies.items(), key=lambda t: (t[0][1], t[0][0])):
        print(tally.row(habit, method))


def bad_looks(floor: Floor, days: range) -> dict[str, list[Micros]]:
    """When each insider looked at a customer beside the honest work."""
    out: dict[str, list[Micros]] = {}
    for n in days:
        for action in floor.day(n):
            if isinstance(action, View) and action.truth != HONEST:
                out.setdefault(action.agent_id, []).append(action.at)
    return out


if __name__ == "__main__":
    main()
