"""Which requests are known to have been bad: those behind alerts that a person has confirmed.

An alert names its evidence by position, and at most the newest of it; what the same people looked
at in the time of the evidence without any reason belongs to it as well. Their explained work in
that time is neither bad nor honest: it is left out of both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from guard.clock import Micros
from guard.ports import ReadView
from guard.rows import AlertRow, AlertState
from policies.model import Link

ALERTS_AT_ONCE = 200
# What the detectors take for explained (`docs/detectors/index.md`); a pending case is not yet.
EXPLAINED = frozenset(
    {
        Link.OWNER.value,
        Link.ESCALATION.value,
        Link.TRANSFER.value,
        Link.QA.value,
        Link.CAMPAIGN.value,
        Link.QUEUE.value,
        Link.RELATED.value,
        Link.TAKEN.value,
        Link.CLAIMED.value,
        Link.WAITING.value,
    }
)


class Standing(IntEnum):
    """What is known of a request, whatever a policy says about it."""

    HONEST = 0
    UNEXPLAINED = 1
    WATCHED = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class KnownBad:
    """Evidence by index, and per agent the times in which the evidence lies."""

    evidence: frozenset[int]
    times: Mapping[str, tuple[tuple[Micros, Micros], ...]]

    def standing(self, index: int, who: str, link: str, at: Micros) -> Standing:
        """What is known of the request of entry `index`, which `who` made at `at`."""
        if index in self.evidence:
            return Standing.BAD
        times = self.times.get(who)
        if times is None:
            return Standing.HONEST if link in EXPLAINED else Standing.UNEXPLAINED
        is_inside = any(since <= at <= until for since, until in times)
        return Standing.BAD if is_inside and link not in EXPLAINED else Standing.WATCHED


def known_bad(view: ReadView, tenant: str) -> KnownBad:
    """Gather what the confirmed alerts of a tenant say."""
    evidence: set[int] = set()
    times: dict[str, list[tuple[Micros, Micros]]] = {}
    for alert in _confirmed(view, tenant):
        found = alert.finding
        evidence.update(found.evidence)
        for agent in found.agent_ids:
            times.setdefault(agent, []).append((found.first_event_at, found.raised_at))
    return KnownBad(frozenset(evidence), {who: tuple(spans) for who, spans in times.items()})


def _confirmed(view: ReadView, tenant: str) -> Iterator[AlertRow]:
    before: str | None = None
    while page := view.alerts(
        tenant, states={AlertState.CONFIRMED}, before=before, limit=ALERTS_AT_ONCE
    ):
        yield from page
        before = page[-1].id
