"""The one kernel of live and replay: takes events in order, keeps `FloorState`, says findings.

Every event changes the state as a function of the state and the event alone. Peers, weather and
rings change at fixed ticks of event time, so nothing that comes later can reach an earlier finding,
and how events were cut into batches cannot matter.

*Weather*: when most agents of a vendor lack links within the same minutes, a system is down, not
the agents. Their mean unexplained share, in this tick so far or in the last one, is then what is
normal, and only what goes beyond it weighs. A ring cannot make weather: it would have to be the
majority.
"""

from collections.abc import Callable
from math import log

from detectors import baselines, calibration, cusum, disputes, narrative, outliers, rings, shifts
from detectors.channels import CHANNELS, Look, Trial
from detectors.channels.self_opened import SelfOpened
from detectors.channels.stale_case import StaleCase
from detectors.channels.unexplained import Unexplained
from detectors.explanations import LATE_LINK, UNLINKED, Explanation
from detectors.state import (
    EVIDENCE_KEPT,
    AgentState,
    Clocks,
    DayLog,
    Episode,
    FloorState,
    GroupState,
    Proof,
    Today,
    Weather,
)
from guard.clock import DAY, HOUR, MINUTE, SECOND, Micros
from guard.events import (
    AccessAction,
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    DisputeEvent,
    FloorEvent,
    LateLinkEvent,
    ProfileEvent,
)
from guard.findings import Finding

# A working day ends after a rest, or by length for those who never rest.
REST: Micros = 5 * HOUR
LONGEST_DAY: Micros = 20 * HOUR
DAYS_KEPT = 10

# Long enough that most agents of a small vendor look at somebody in it, at five looks an hour.
WEATHER_TICK: Micros = 15 * MINUTE
# Fewer active agents than this have no weather; an agent is wet with half its looks unexplained,
# and the weather bad with more than half of the agents wet.
WEATHER_CROWD = 8
WET = 0.5

# A matter is told again when its score has grown by this factor, at most so many times in all.
RETELL = 1.5
TELLINGS = 6
# A raised matter is over when a whole day (a tick, for groups) stays below this part of the line.
OVER = 0.5
DISMISSED = "dismissed"

_LOOKS, _SEARCHES, _VERIFICATIONS = (
    tuple(k for k, c in enumerate(CHANNELS) if c.trial is trial) for trial in Trial
)
# They show nothing, so the time between two of them is not time spent on a record.
_QUESTIONS = frozenset({AccessAction.SEARCH, AccessAction.VERIFY})
# Nor is it where many stand on one page.
_NO_BEAT = _QUESTIONS | {AccessAction.LIST}
# What a row of a queue is judged by. Rows come many at once and in the order of the queue: no beat,
# no quick succession and no walk is in them.
_ROWS = tuple(
    k for k, c in enumerate(CHANNELS) if isinstance(c, Unexplained | StaleCase | SelfOpened)
)
_LINKED = sum(1 << k for k, c in enumerate(CHANNELS) if c.is_linked)
_OBSERVE = tuple(c.observe for c in CHANNELS)


class Kernel:
    """Steps one `FloorState` forward; `Pipeline` feeds it."""

    def __init__(self, floor: FloorState, budget: float) -> None:
        """Work on `floor`, in place; raise what an honest agent-day reaches once per `1/budget`."""
        self.floor = floor
        self.threshold = calibration.threshold(budget)
        self.model: outliers.FrozenEcod | None = None
        self.out: list[Finding] = []
        # Set during a warm-up only: what calibration reads. While set, nothing is raised.
        self.honest_days: list[tuple[str, dict[int, float]]] | None = None
        self.honest_groups: list[float] = []
        self._group_peaks: dict[str, float] = {}

    def take(self, event: FloorEvent) -> None:
        """Take one event; findings go to `out`."""
        self._advance(event.ts)
        if isinstance(event, AccessEvent):
            self._access(event)
        elif isinstance(event, AssignmentEvent | LateLinkEvent):
            self._link(event)
        elif isinstance(event, CaseEvent):
            self.floor.book.on_case(event)
        elif isinstance(event, ProfileEvent):
            self.meet(event.profile)
        elif isinstance(event, DisputeEvent):
            disputes.note(self.floor, event)
        elif event.what == DISMISSED and event.agent_id in self.floor.agents:
            self._dismiss(self.floor.agents[event.agent_id])

    def meet(self, profile: AgentProfile) -> AgentState:
        """Learn or replace a profile; rates follow at the agent's next working day."""
        state = self.floor.agents.get(profile.agent_id)
        if state is None:
            state = AgentState(profile=profile, today=Today(), clocks=Clocks())
            cusum.start(state)
            self._prepare(state)
            self.floor.agents[profile.agent_id] = state
        else:
            state.profile = profile
        return state

    # Ticks

    def _advance(self, ts: Micros) -> None:
        floor = self.floor
        before = floor.now
        if ts <= before:
            return
        floor.now = ts
        if ts // WEATHER_TICK != before // WEATHER_TICK:
            self._weather(is_next=ts // WEATHER_TICK == before // WEATHER_TICK + 1)
        if ts // HOUR != before // HOUR:
            self._judge_groups()
            if ts // DAY != before // DAY:
                self._midnight()

    def _weather(self, *, is_next: bool) -> None:
        for weather in self.floor.weather.values():
            weather.last = _unexplained_share(weather) if is_next else 0.0
            weather.looks, weather.total, weather.wet = {}, 0.0, 0

    def _midnight(self) -> None:
        floor = self.floor
        for agent_id in sorted(floor.agents):
            state = floor.agents[agent_id]
            if state.today.last >= 0 and floor.now - state.today.last >= REST:
                self._end_day(state)
        baselines.refresh_groups(floor)
        floor.book.forget(floor.now)
        rings.forget(floor)
        disputes.forget(floor)
        if self.honest_days is not None:
            self.honest_groups.extend(self._group_peaks.values())
            self._group_peaks = {}

    def _judge_groups(self) -> None:
        for key, members in rings.groups_of(self.floor).items():
            ring = rings.judge(self.floor, key, members)
            if self.honest_days is not None:
                statistic = ring.statistic if ring is not None else 0.0
                self._group_peaks[key] = max(self._group_peaks.get(key, 0.0), statistic)
            elif ring is not None:
                self._tell_group(ring)
            elif key in self.floor.rings:
                del self.floor.rings[key]

    # Looks

    def _access(self, event: AccessEvent) -> None:
        state = self.floor.agents.get(event.agent_id)
        if state is None:
            state = self.meet(AgentProfile(agent_id=event.agent_id))
        today = state.today
        if (
            today.last < 0
            or event.ts - today.last >= REST
            or event.ts - today.started >= LONGEST_DAY
        ):
            self._end_day(state)
            self._begin_day(state, event.ts)
            today = state.today
        if event.outcome == "failed":
            return
        if event.is_decoy and self.honest_days is None:
            self.out.append(narrative.decoy_finding(event, narrative.CRITICAL * self.threshold))
        explanation = self.floor.book.explain(event)
        if event.action in _QUESTIONS:
            self._ask(state, event, explanation)
        if event.action is AccessAction.LIST:
            self._row(state, event, explanation)
        elif event.action is not AccessAction.SEARCH:
            # A verification is about a customer as much as a look is, and needs as good a reason.
            self._see(state, event, explanation)

    def _ask(self, state: AgentState, event: AccessEvent, explanation: Explanation) -> None:
        """Judge the answer to a question, whoever it is about."""
        look = self._look(state, event, explanation)
        if event.action is AccessAction.SEARCH:
            state.today.searches += 1
            state.clocks.trials[Trial.SEARCH] += 1
            self._judge(state, look, _SEARCHES)
        else:
            state.today.verifications += 1
            state.clocks.trials[Trial.VERIFICATION] += 1
            self._judge(state, look, _VERIFICATIONS)

    def _see(self, state: AgentState, event: AccessEvent, explanation: Explanation) -> None:
        """Judge a customer who was not seen today, or not with so little reason."""
        today = state.today
        strength = explanation.strength
        seen = today.seen.get(event.customer_id)
        if seen is not None and seen <= strength:
            return
        look = self._look(state, event, explanation)
        today.seen[event.customer_id] = strength
        today.looks += 1
        today.sensitive += event.n_sensitive
        state.clocks.trials[Trial.LOOK] += 1
        today.last = max(today.last, event.ts)
        self._note(state, event, is_unexplained=strength < UNLINKED)
        self._judge(state, look, _LOOKS)

    def _row(self, state: AgentState, event: AccessEvent, explanation: Explanation) -> None:
        """A row of a queue that rests on nothing strong weighs as a view of it does, once a day.

        One that rests on an open case is no look: a queue of one's own dilutes nothing.
        """
        today, customer = state.today, event.customer_id
        if explanation.is_explained or customer in today.seen or customer in today.listed:
            return
        today.listed.append(customer)
        today.looks += 1
        state.clocks.trials[Trial.LOOK] += 1
        self._note(state, event, is_unexplained=explanation.strength < UNLINKED)
        self._judge(state, self._look(state, event, explanation), _ROWS)

    def _note(self, state: AgentState, event: AccessEvent, *, is_unexplained: bool) -> None:
        """Take a look into the weather, and into what agents share where nothing links it."""
        weather = self.floor.weather.setdefault(state.profile.vendor, Weather())
        _note_weather(weather, event.agent_id, is_unexplained=is_unexplained)
        if is_unexplained:
            rings.note_weak_view(self.floor, event.customer_id, event.agent_id, event.ts)

    def _look(self, state: AgentState, event: AccessEvent, explanation: Explanation) -> Look:
        today = state.today
        gap: float | None = None
        if today.looks and event.action not in _NO_BEAT:
            gap = max(0.0, (event.ts - today.last) / SECOND)
            today.gap_log += log(1.0 + gap)
            today.gaps += 1
        on = event.on_shift
        if on is None:
            on = shifts.on_shift(state.profile, event.ts)
        return Look(event, explanation, not explanation.is_explained, on, gap)

    def _judge(self, state: AgentState, look: Look, channels: tuple[int, ...]) -> None:
        mask = 0
        memories, hits = state.memories, state.today.hits
        for k in channels:
            if _OBSERVE[k](memories[k], look):
                mask |= 1 << k
                hits[k] += 1
        cusum.step(state.clocks, mask, channels, look.event.ts)
        if mask:
            self._count_against(state, look.event, mask)

    def _count_against(self, state: AgentState, event: AccessEvent, mask: int) -> None:
        clocks, today = state.clocks, state.today
        share = self._bad_weather(state) if mask & _LINKED else 0.0
        if share > 0.0:
            cusum.spare(state, mask, share)
        state.proofs.append(
            Proof(
                ts=event.ts,
                position=event.position,
                customer=event.customer_id,
                mask=mask,
                day=today.day,
                gains=cusum.gains(state, mask, share),
            )
        )
        if len(state.proofs) > 2 * EVIDENCE_KEPT:
            del state.proofs[:EVIDENCE_KEPT]
        raised: dict[int, float] = {}
        for stat in cusum.stats_of(mask):
            value = raised[stat] = cusum.value(clocks, stat)
            if value > today.peaks.get(stat, 0.0):
                today.peaks[stat] = value
        score = self._final(state, calibration.best(self.floor.calibration, raised))
        today.score = max(today.score, score)
        weak = disputes.weight(self.floor, state.profile.agent_id, self.threshold)
        if score + weak >= self.threshold and self.honest_days is None:
            self._tell_agent(state, score, weak)

    def _bad_weather(self, state: AgentState) -> float:
        """The unexplained share of the agent's vendor, if it is the system's; else 0."""
        weather = self.floor.weather.get(state.profile.vendor)
        return 0.0 if weather is None else max(weather.last, _unexplained_share(weather))

    def _final(self, state: AgentState, top: float) -> float:
        return calibration.final(self.floor.calibration, stratum(state.profile), top)

    # Late links and reviews

    def _link(self, event: AssignmentEvent | LateLinkEvent) -> None:
        book = self.floor.book
        if isinstance(event, LateLinkEvent):
            if book.may_repair(event):
                self._retract(event, event.of)
            return
        if book.may_retract(event):
            self._retract(event, None)
        book.on_assignment(event)

    def _retract(self, event: AssignmentEvent | LateLinkEvent, of: int | None) -> None:
        """Take back what the customer's views, or the one at position `of`, weighed."""
        state = self.floor.agents.get(event.agent_id)
        if state is None or not state.proofs or state.proofs[-1].ts < event.ts - LATE_LINK:
            return
        kept, changed = [], False
        for proof in state.proofs:
            linked = proof.mask & _LINKED
            is_repaired = proof.customer == event.customer_id and of in {None, proof.position}
            if not is_repaired or proof.ts < event.ts - LATE_LINK or not linked:
                kept.append(proof)
                continue
            changed = True
            cusum.retract(state.clocks, proof, linked, today=state.today.day)
            if proof.day == state.today.day:
                for k in range(len(CHANNELS)):
                    state.today.hits[k] -= linked >> k & 1
        if changed:
            state.proofs = kept
            self._after_retraction(state, event.customer_id)

    def _after_retraction(self, state: AgentState, customer: str) -> None:
        agent_id, sharing = state.profile.agent_id, self.floor.sharing
        if customer in sharing:
            sharing[customer] = [v for v in sharing[customer] if v[1] != agent_id]
        today = state.today
        today.peaks = {
            s: min(peak, max(cusum.value(state.clocks, s), 0.0)) for s, peak in today.peaks.items()
        }
        today.score = self._final(state, calibration.best(self.floor.calibration, today.peaks))
        if state.episode is not None and today.score < self.threshold * OVER:
            state.episode = None

    def _dismiss(self, state: AgentState) -> None:
        cusum.start(state)
        cusum.set_steps(state)
        state.episode, state.proofs = None, []
        state.today.score, state.today.peaks = 0.0, {}
        for day in state.days:
            day.score = 0.0

    # Working days

    def _begin_day(self, state: AgentState, ts: Micros) -> None:
        state.today = Today(day=ts // DAY, started=ts, last=ts)
        self._prepare(state)

    def _prepare(self, state: AgentState) -> None:
        baselines.refresh_agent(state, self.floor.groups)
        cusum.set_steps(state)

    def _end_day(self, state: AgentState) -> None:
        today = state.today
        if today.looks or today.searches or today.verifications:
            self._second_opinion(state)
            if self.honest_days is not None:
                self.honest_days.append((stratum(state.profile), dict(today.peaks)))
            if state.episode is not None and today.score < self.threshold * OVER:
                state.episode = None
            baselines.learn_day(state)
            log_day = DayLog(
                today.day,
                today.looks,
                today.searches,
                today.verifications,
                today.hits,
                today.score,
            )
            state.days = [*state.days[-(DAYS_KEPT - 1) :], log_day]
            cusum.end_day(state.clocks)
        state.today = Today()

    def _second_opinion(self, state: AgentState) -> None:
        row = outliers.features(state)
        if row is None:
            return
        if self.model is not None and self.honest_days is None:
            outlier = self.model.score(row)
            if outlier.score >= self.threshold:
                self.out.append(narrative.outlier_finding(state, self.floor.now, outlier))
        if state.episode is None:
            self.floor.rows.append(row)
            if len(self.floor.rows) > outliers.ROWS_KEPT + EVIDENCE_KEPT:
                del self.floor.rows[:EVIDENCE_KEPT]

    # Telling

    def _tell_agent(self, state: AgentState, score: float, weak: float) -> None:
        def say() -> Finding:
            finding = self._agent_finding(state, score)
            return disputes.added(finding, self.floor, state.profile.agent_id, weak)

        state.episode = self._told(state.episode, score + weak, say, is_wider=False)

    def _tell_group(self, ring: rings.Ring) -> None:
        tail = self.floor.calibration.groups or calibration.DEFAULT_GROUP
        score = calibration.score(tail, ring.statistic)
        if score < self.threshold:
            if ring.key in self.floor.rings and score < self.threshold * OVER:
                del self.floor.rings[ring.key]
            return
        group = self.floor.rings.setdefault(ring.key, GroupState())
        members = {a: self.floor.agents[a] for a in ring.members}
        group.episode = self._told(
            group.episode,
            score,
            lambda: narrative.ring_finding(ring, members, self.floor.now, score, self.threshold),
            is_wider=not set(ring.members) <= set(group.members),
        )
        group.members = sorted({*group.members, *ring.members})

    def _told(
        self, episode: Episode | None, score: float, say: Callable[[], Finding], *, is_wider: bool
    ) -> Episode:
        if episode is None:
            self.out.append(say())
            return Episode(score, 1)
        if episode.told < TELLINGS and (is_wider or score >= RETELL * episode.score):
            self.out.append(say())
            return Episode(max(score, episode.score), episode.told + 1)
        return episode

    def _agent_finding(self, state: AgentState, score: float) -> Finding:
        tails = self.floor.calibration.stats
        shares: dict[int, float] = {}
        for stat in range(cusum.STATS):
            value = cusum.value(state.clocks, stat)
            if value > 0.0:
                tail = tails[stat] if tails else calibration.DEFAULT_STAT
                k = stat // cusum.PER_CHANNEL
                beyond = calibration.score(tail, value) + log(tail.share)
                shares[k] = max(shares.get(k, 0.0), beyond)
        shares = {k: s for k, s in shares.items() if s > 0.0} or {0: 1.0}
        total = sum(shares.values())
        shares = {k: s / total for k, s in shares.items()}
        return narrative.agent_finding(state, self.floor.now, score, self.threshold, shares)


def _note_weather(weather: Weather, agent_id: str, *, is_unexplained: bool) -> None:
    counts = weather.looks.setdefault(agent_id, [0, 0])
    before = counts[1] / counts[0] if counts[0] else 0.0
    counts[0] += 1
    counts[1] += is_unexplained
    share = counts[1] / counts[0]
    weather.total += share - before
    weather.wet += (share >= WET) - (before >= WET)


def _unexplained_share(weather: Weather) -> float:
    """Mean unexplained share of a tick in which most agents lack links; 0 in fair weather."""
    active = len(weather.looks)
    is_bad = active >= WEATHER_CROWD and weather.wet > WET * active
    return weather.total / active if is_bad else 0.0


def stratum(profile: AgentProfile) -> str:
    """Agents whose days are comparable for calibration."""
    return f"{profile.kind}/{profile.role}"
