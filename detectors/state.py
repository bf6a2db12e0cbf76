"""What the detectors remember, as plain structs that msgspec can write and read.

Nothing here computes. `FloorState` is the whole memory of a pipeline: saving it and loading it
again must change no later finding, so everything that influences one is in it.
"""

import msgspec

from detectors.channels import CHANNELS
from detectors.explanations import CaseBook
from guard.clock import Micros
from guard.events import AgentProfile

# Bumped when a field changes its meaning or a channel is added; a state of another version is
# refused, not guessed at.
STATE_VERSION = 3

# One agent's evidence: enough for a finding (500) and for a day of late links at twice that.
EVIDENCE_KEPT = 500


class Proof(msgspec.Struct, array_like=True):
    """One look that counted against an agent.

    `mask` has bit k set for channel k; `gains` holds, for each set bit in order, what the look
    added to the four statistics of that channel, so that a late link can take it back.
    """

    ts: Micros
    position: int
    customer: str
    mask: int
    day: int
    gains: list[float]


class Disputed(msgspec.Struct, array_like=True):
    """A customer's word against an agent, and where in the log it is."""

    ts: Micros
    customer: str
    position: int


class Episode(msgspec.Struct, array_like=True):
    """A matter that was raised and has not died down."""

    score: float
    told: int


class DayLog(msgspec.Struct, array_like=True):
    """One finished working day: trials of each kind, yes-answers per channel, best score."""

    day: int
    looks: int
    searches: int
    verifications: int
    hits: list[int]
    score: float


def _per_channel() -> list[float]:
    return [0.0] * len(CHANNELS)


def _counts() -> list[int]:
    return [0] * len(CHANNELS)


def _memories() -> list[list[float]]:
    return [channel.start() for channel in CHANNELS]


class Today(msgspec.Struct):
    """The running working day of an agent."""

    day: int = 0
    started: Micros = 0
    last: Micros = -1
    looks: int = 0
    searches: int = 0
    verifications: int = 0
    hits: list[int] = msgspec.field(default_factory=_counts)
    seen: dict[str, float] = {}
    listed: list[str] = []
    peaks: dict[int, float] = {}
    score: float = 0.0
    gap_log: float = 0.0
    gaps: int = 0
    sensitive: int = 0


class Clocks(msgspec.Struct):
    """CUSUM values and steps of an agent; four statistics per channel (see `detectors.cusum`).

    `trials` counts those of the working day, by `Trial`.
    """

    fast: list[float] = []
    slow: list[float] = []
    today: list[float] = []
    yesterday: list[float] = []
    trials: list[int] = []
    since: list[Micros] = []
    up: list[float] = []
    down: list[float] = []


class AgentState(msgspec.Struct):
    """All that is remembered of one agent; its size does not grow with its history."""

    profile: AgentProfile
    today: Today
    clocks: Clocks
    memories: list[list[float]] = msgspec.field(default_factory=_memories)
    hits: list[float] = msgspec.field(default_factory=_per_channel)
    looks: float = 0.0
    searches: float = 0.0
    verifications: float = 0.0
    normal: list[float] = []
    peers: list[float] = []
    days: list[DayLog] = []
    proofs: list[Proof] = []
    episode: Episode | None = None


class GroupRates(msgspec.Struct, array_like=True):
    """Rates of one peer group: the centre, and the quantile that caps a member's own rate."""

    rates: list[float]
    caps: list[float]
    size: int


class Tail(msgspec.Struct, array_like=True):
    """An exponential tail: `P(X > x) = share * exp(-(x - start) / slope)` for x > start."""

    start: float
    share: float
    slope: float


class Calibration(msgspec.Struct):
    """Tails per statistic, per stratum of agents, and for groups; empty means the defaults."""

    stats: list[Tail] = []
    strata: dict[str, Tail] = {}
    groups: Tail | None = None
    agent_days: int = 0


class GroupState(msgspec.Struct):
    """What was raised about one group."""

    episode: Episode | None = None
    members: list[str] = []


class Weather(msgspec.Struct):
    """One vendor's running tick: looks and unexplained looks per agent, and how that sums up.

    `total` is the sum over agents of their unexplained shares so far, `wet` the number of agents
    with at least half of their looks unexplained, `last` what the tick before came to.
    """

    looks: dict[str, list[int]] = {}
    total: float = 0.0
    wet: int = 0
    last: float = 0.0


class FloorState(msgspec.Struct):
    """The whole memory of a pipeline."""

    version: int = STATE_VERSION
    now: Micros = -1
    agents: dict[str, AgentState] = {}
    book: CaseBook = msgspec.field(default_factory=CaseBook)
    groups: dict[str, GroupRates] = {}
    rings: dict[str, GroupState] = {}
    sharing: dict[str, list[tuple[Micros, str]]] = {}
    pairs: dict[str, list[Micros]] = {}
    weather: dict[str, Weather] = {}
    calibration: Calibration = msgspec.field(default_factory=Calibration)
    rows: list[list[float]] = []
    held: list[bytes] = []
    disputes: dict[str, list[Disputed]] = {}
