"""Findings in words: plain sentences with numbers that an investigator can check in the ledger.

Neutral wording: *this agent*, never a verdict. Every sentence says what was counted, out of how
many, and what colleagues have.
"""

from collections.abc import Mapping
from math import exp

from detectors.channels import CHANNELS, Trial
from detectors.outliers import FEATURES, Outlier
from detectors.rings import ABOVE, Ring
from detectors.state import EVIDENCE_KEPT, AgentState
from guard.clock import Micros
from guard.events import AccessEvent
from guard.findings import Finding, FindingKind, Severity

# Channels with less than this share of the score are noise in an explanation.
WORTH_NAMING = 0.05
# Multiples of the threshold at which a matter becomes more urgent.
HIGH, CRITICAL = 1.5, 2.5
TERMS_NAMED = 3


def severity(score: float, threshold: float) -> Severity:
    """How soon somebody should look, by score."""
    if score >= CRITICAL * threshold:
        return Severity.CRITICAL
    return Severity.HIGH if score >= HIGH * threshold else Severity.MEDIUM


def agent_finding(
    state: AgentState, now: Micros, score: float, threshold: float, shares: Mapping[int, float]
) -> Finding:
    """What is said about one agent; `shares` maps channel places to their part of the score."""
    named = {k: s for k, s in shares.items() if s >= WORTH_NAMING} or dict(shares)
    order = sorted(named, key=lambda k: (-named[k], k))
    total = sum(named.values())
    since = _since(state, order)
    mask = sum(1 << k for k in order)
    proofs = [p for p in state.proofs if p.mask & mask and p.ts >= since][-EVIDENCE_KEPT:]
    return Finding(
        key=f"agent:{state.profile.agent_id}",
        kind=FindingKind.AGENT,
        raised_at=now,
        first_event_at=proofs[0].ts if proofs else now,
        agent_ids=(state.profile.agent_id,),
        score=score,
        severity=severity(score, threshold),
        channels=tuple(CHANNELS[k].name for k in order),
        reasons=tuple(r for k in order for r in _reasons(state, k)),
        contributions=tuple((CHANNELS[k].name, named[k] / total) for k in order),
        evidence=tuple(p.position for p in proofs),
        explained_by=tuple(CHANNELS[k].remedy for k in order),
    )


def ring_finding(
    ring: Ring, members: Mapping[str, AgentState], now: Micros, score: float, threshold: float
) -> Finding:
    """What is said about one group: all members and the hub, in one finding."""
    weak = {a: [p for p in s.proofs if p.mask & 1] for a, s in members.items()}
    each = max(1, EVIDENCE_KEPT // max(len(members), 1))
    proofs = sorted((p for ps in weak.values() for p in ps[-each:]), key=lambda p: p.ts)
    counts = ", ".join(f"{a} {len(weak[a])}" for a in ring.members)
    stand_out = (
        f"{len(ring.members)} of {ring.size} agents under {ring.hub} stand out in the same week,"
        f" where chance would give {ring.size * exp(-ABOVE):.1f}"
    )
    reasons = [stand_out, f"views without a reason on record, by agent: {counts}"]
    if ring.shared > ring.expected_shared:
        reasons.append(
            f"they share {ring.shared} customers whom nothing links to them;"
            f" chance would give {ring.expected_shared:.1f}"
        )
    agents = ring.members if ring.hub in ring.members else (*ring.members, ring.hub)
    together = ring.together / (ring.together + ring.sharing)
    parts = (("members", together), ("shared_customers", 1 - together))
    return Finding(
        key=f"ring:{ring.key}",
        kind=FindingKind.RING,
        raised_at=now,
        first_event_at=proofs[0].ts if proofs else now,
        agent_ids=agents,
        score=score,
        severity=severity(score, threshold),
        channels=tuple(name for name, part in parts if part > 0),
        reasons=tuple(reasons),
        contributions=tuple((name, part) for name, part in parts if part > 0),
        evidence=tuple(p.position for p in proofs),
        explained_by=("a shared task on record, such as an approved work list, would explain it",),
    )


def outlier_finding(state: AgentState, now: Micros, outlier: Outlier) -> Finding:
    """A second opinion on a whole day, of low severity."""
    total = sum(t for _, t in outlier.terms) or 1.0
    words = dict(FEATURES)
    top = [name for name, _ in outlier.terms[:TERMS_NAMED]]
    return Finding(
        key=f"outlier:{state.profile.agent_id}",
        kind=FindingKind.OUTLIER,
        raised_at=now,
        first_event_at=state.today.started,
        agent_ids=(state.profile.agent_id,),
        score=outlier.score,
        severity=Severity.LOW,
        channels=("outlier",),
        reasons=(
            "as a whole this working day is unlike the floor's: "
            + ", ".join(words[name] for name in top),
        ),
        contributions=tuple((name, term / total) for name, term in outlier.terms),
        evidence=tuple(p.position for p in state.proofs if p.ts >= state.today.started),
        explained_by=("a role, campaign or shift that differs from the usual would explain it",),
    )


def decoy_finding(event: AccessEvent, score: float) -> Finding:
    """Somebody opened a record that no honest work leads to: hard evidence by itself."""
    return Finding(
        key=f"decoy:{event.agent_id}",
        kind=FindingKind.DECOY,
        raised_at=event.ts,
        first_event_at=event.ts,
        agent_ids=(event.agent_id,),
        score=score,
        severity=Severity.CRITICAL,
        channels=("decoy",),
        reasons=("this agent opened a decoy record, to which no case, call or list leads",),
        contributions=(("decoy", 1.0),),
        evidence=(event.position,),
        explained_by=("an authorised test of the decoys would explain it",),
        is_hard=True,
    )


def _since(state: AgentState, channels: list[int]) -> Micros:
    clocks = state.clocks
    started = [
        clocks.since[stat]
        for k in channels
        for stat in range(4 * k, 4 * k + 4)
        if clocks.fast[stat] > 0 or clocks.slow[stat] > 0 or clocks.today[stat] > 0
    ]
    return min(started, default=0)


_NOUNS = {Trial.LOOK: "views", Trial.SEARCH: "searches", Trial.VERIFICATION: "verifications"}


def _reasons(state: AgentState, k: int) -> list[str]:
    channel, today = CHANNELS[k], state.today
    noun = _NOUNS[channel.trial]
    out = []
    trials = (today.looks, today.searches, today.verifications)[channel.trial]
    if today.hits[k]:
        out.append(
            f"{today.hits[k]} of this agent's {trials} {noun} today {channel.label};"
            f" colleagues in the same role have {state.peers[k] * trials:.1f} of {trials}"
        )
    hits = sum(d.hits[k] for d in state.days)
    past = sum((d.looks, d.searches, d.verifications)[channel.trial] for d in state.days)
    if hits and past:
        out.append(
            f"{hits} of the {past} {noun} on the last {len(state.days)} working days"
            f" {channel.label}; colleagues have {state.peers[k] * past:.1f} of {past}"
        )
    return out
