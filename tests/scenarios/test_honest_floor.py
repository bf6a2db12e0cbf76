"""The honest floor: bursts, outages, reviews, outreach and an AI agent are no breach."""

from guard.clock import DAY
from guard.events import AccessEvent
from tests.scenarios.conftest import Replay

# The budget is one in a thousand agent-days; a floor this small gives about one in ten days. Four
# are what a Poisson count of one exceeds once in three hundred runs.
MOST_FALSE = 4


def _agent_days(replay: Replay) -> int:
    days = {(e.agent_id, e.ts // DAY) for e in replay.history.events if isinstance(e, AccessEvent)}
    return len(days)


def test_false_alerts_stay_near_the_budget(honest: Replay) -> None:
    matters = {f.key for f in honest.findings}
    assert _agent_days(honest) > 700
    assert len(matters) <= MOST_FALSE, sorted(matters)


def test_outreach_reviewers_leads_and_the_ai_agent_are_left_in_peace(honest: Replay) -> None:
    named = {a for f in honest.findings for a in f.agent_ids}
    bulk = {
        p.agent_id
        for p in honest.floor.agents
        if p.team in {"outreach", "quality", "assistant"} or p.role == "lead"
    }
    assert not named & bulk


def test_insiders_do_not_make_honest_agents_look_bad(honest: Replay, breached: Replay) -> None:
    bad = set(breached.floor.truth())
    before = {f.key for f in honest.findings}
    after = {f.key for f in breached.findings if not bad & set(f.agent_ids)}
    assert len(after - before) <= 1
