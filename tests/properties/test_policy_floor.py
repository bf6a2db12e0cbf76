"""The policy that ships, held against a floor of honest work: who is refused what they need."""

from collections import Counter

from detectors.floor import Floor
from detectors.floor_actions import Assigned, View
from guard.events import AgentProfile
from guard.principals import Shift
from guard.purposes.shifts import is_on_shift
from policies.bundle import load_bundle
from policies.engine import Engine
from policies.model import ActorKind, Forbid, Link, Permit, Role, Tier
from tests.support.policy_bundles import default_files, make_facts

DAYS = 6
MIDNIGHT = 1_767_225_600_000_000  # 2026-01-01
EIGHT_HOURS = 8 * 60
ENGINE = Engine(load_bundle(default_files()))


def shift_of(person: AgentProfile) -> Shift | None:
    """The roster as the directory would have it: swapped days and overtime are not in it."""
    start = person.shift_start
    if start is None:
        return None
    end = (start + EIGHT_HOURS) % (24 * 60)
    return Shift(tz=person.tz, start=start, end=end, days=frozenset(range(1, 8)))


def test_next_to_no_honest_view_is_refused() -> None:
    """Slips are left out: a typing error or the wrong namesake is not what anybody needed."""
    floor = Floor.build(3, MIDNIGHT)
    tiers = {customer.id: Tier(customer.tier) for customer in floor.customers}
    people = {person.agent_id: person for person in floor.agents}
    ends: Counter[str] = Counter()
    for day in range(DAYS):
        actions = floor.day(day)
        late = {(a.agent_id, a.customer) for a in actions if isinstance(a, Assigned)}
        for view in (a for a in actions if isinstance(a, View)):
            person = people[view.agent_id]
            link = view.link
            if link is Link.NONE:
                if (view.agent_id, view.customer) not in late:
                    continue
                link = Link.PENDING  # the case exists and arrives later
            shift = shift_of(person)
            facts = make_facts(
                role=Role(person.role),
                actor=ActorKind(person.kind),
                purpose=view.purpose,
                link=link,
                tier=tiers[view.customer],
                on_shift=is_on_shift(shift, view.at),
            )
            decision = ENGINE.decide(facts)
            ends["refused" if isinstance(decision, Forbid) else "shown"] += 1
            if isinstance(decision, Permit) and link is Link.OWNER and facts.on_shift:
                assert decision.obligations == ()  # nothing to click
    assert ends["shown"] > 20_000
    assert ends["refused"] <= ends["shown"] / 1000, ends
