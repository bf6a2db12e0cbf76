"""What a backtest found, and the sentence that says it.

Numbers only, by team and never by agent: a report on a policy is no report on people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# A team is ready when at most this share of its honest work would be refused, and when there was
# enough of it to tell.
READY_SHARE = 0.001
ENOUGH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """One team. `honest_covered`: honest requests in which something would be shown less openly."""

    team: str
    requests: int
    newly_refused: int
    newly_allowed: int
    honest: int
    honest_refused: int
    honest_covered: int

    @property
    def refused_share(self) -> float:
        """Of the team's honest work, the part that would be refused."""
        return self.honest_refused / self.honest if self.honest else 0.0

    @property
    def is_ready(self) -> bool:
        """Whether enforcing would disturb this team's honest work hardly at all."""
        return self.honest >= ENOUGH and self.refused_share <= READY_SHARE

    @property
    def advice(self) -> str:
        """Whether to go on with this team, in words."""
        name, share = self.team or "without a name", percent(self.honest_refused, self.honest)
        if self.honest < ENOUGH:
            return f"team {name} has too little honest work to tell: {self.honest:,} requests"
        said = "is ready" if self.is_ready else "is not ready"
        return f"team {name} {said}: {share} honest work refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """Requests in which a class of fields would change from one form to another."""

    field_class: str
    before: str
    after: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One kind of request."""

    act: str
    requests: int
    newly_refused: int
    newly_allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """How often something was met."""

    name: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that came out.

    `entries` were read, `decided` of them replayed; `not_replayed` names the rest and why.
    `repaired` were judged by the link of a case that came late. `facts` counts different facts.
    `assumed` says what entries of earlier releases did not hold.
    """

    digest: str
    entries: int
    decided: int
    repaired: int
    facts: int
    bad: int
    bad_stopped: int
    customers_seen: int
    customers_still_seen: int
    honest: int
    honest_refused: int
    newly_refused: int
    newly_allowed: int
    acts: tuple[ActRow, ...]
    teams: tuple[TeamRow, ...]
    classes: tuple[ClassRow, ...]
    refused_by: tuple[CountRow, ...]
    not_replayed: tuple[CountRow, ...]
    assumed: tuple[CountRow, ...]

    @property
    def sentence(self) -> str:
        """The whole report in one sentence with numbers."""
        share = percent(self.honest_refused, self.honest)
        honest = (
            f"refused {self.honest_refused:,} of {self.honest:,} honest ones ({share}"
            f"){_where(self.teams)}"
        )
        if not self.bad:
            return f"nothing is confirmed to have been bad; this bundle would have {honest}"
        return (
            f"this bundle would have stopped {self.bad_stopped:,} of the {self.bad:,} views behind "
            f"confirmed alerts ({self.customers_still_seen:,} customers seen instead of "
            f"{self.customers_seen:,}) and {honest}"
        )


def percent(part: int, whole: int) -> str:
    """A share with two decimals; a share that is not nothing never reads as nothing."""
    if not whole:
        return "0.00 %"
    shown = f"{100 * part / whole:.2f} %"
    return "under 0.01 %" if part and shown == "0.00 %" else shown


def _where(teams: Sequence[TeamRow]) -> str:
    """In which team honest work would be refused: all of it, or most."""
    hit = sorted((t for t in teams if t.honest_refused), key=lambda t: -t.honest_refused)
    if not hit:
        return ""
    name = hit[0].team or "without a name"
    if len(hit) == 1:
        return f", all in team {name}"
    return f", {hit[0].honest_refused:,} of them in team {name}"
