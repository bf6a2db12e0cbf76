"""The most open form of a field that each kind of person could have got under a policy.

A policy sees a person's role, desk and kind; everything else about a request is circumstance. So
every circumstance that such a person can be in is tried: each purpose with each link that the
broker can find for it, each tier of customer, with and without the customer present; on shift, in
the own region, with a fresh second factor and a reason, and no rung of the response ladder. What
comes out is what they *could* see, not what they did.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from guard.access_review.roster import Person
from policies.engine import Engine
from policies.model import Act, Facts, Forbid, Form, Link, Purpose, Risk, Tie, Tier

# What the broker can find for each purpose (`guard.purposes.explanation`).
_BY_CASE = tuple(link for link in Link if link not in {Link.CAMPAIGN, Link.BREAK_GLASS})
LINKS: Mapping[Purpose, tuple[Link, ...]] = {
    Purpose.SUPPORT_CASE: _BY_CASE,
    Purpose.AI_SESSION: _BY_CASE,
    Purpose.QUALITY_REVIEW: (Link.QA, Link.NONE),
    Purpose.FRAUD_REVIEW: (Link.QUEUE, Link.NONE),
    Purpose.ONBOARDING: (Link.QUEUE, Link.NONE),
    Purpose.OUTREACH: (Link.CAMPAIGN, Link.NONE),
    Purpose.BREAK_GLASS: (Link.BREAK_GLASS, Link.NONE),
    Purpose.INVESTIGATION: (Link.NONE,),
}
ACTS = (Act.VIEW, Act.REVEAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The most open form, and the circumstances and policies that give it."""

    form: Form
    act: str
    purpose: str
    link: str
    tier: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People whom the policy does not tell apart, within one team."""

    role: str
    desk: str
    kind: str
    team: str
    names: tuple[str, ...]
    access: Access


NOTHING = Access(form=Form.HIDE, act="", purpose="", link="", tier="", by=())


def access_to(engine: Engine, cls: str, people: Iterable[Person]) -> tuple[Group, ...]:
    """Who could see class `cls`, the most open first."""
    groups: defaultdict[tuple[str, str, str, str], list[Person]] = defaultdict(list)
    for person in people:
        place = (person.role.value, person.desk.value, person.kind.value, person.team)
        groups[place].append(person)
    reached: dict[tuple[str, str, str], Access] = {}
    found = []
    for place, members in groups.items():
        role, desk, kind, team = place
        if (role, desk, kind) not in reached:
            reached[role, desk, kind] = _most_open(engine, cls, members[0])
        found.append(
            Group(
                role=role,
                desk=desk,
                kind=kind,
                team=team,
                names=tuple(sorted(person.id for person in members)),
                access=reached[role, desk, kind],
            )
        )
    return tuple(sorted(found, key=lambda g: (-g.access.form, g.role, g.desk, g.kind, g.team)))


def _most_open(engine: Engine, cls: str, person: Person) -> Access:
    best = NOTHING
    for facts, act in product(_circumstances(person), ACTS):
        decided = engine.decide(facts, act)
        if isinstance(decided, Forbid) or decided.forms.get(cls, Form.HIDE) <= best.form:
            continue
        best = Access(
            form=decided.forms[cls],
            act=act.value,
            purpose=facts.purpose.value,
            link=facts.link.value,
            tier=facts.tier.value,
            by=decided.determined_by,
        )
    return best


def _circumstances(person: Person) -> Iterator[Facts]:
    for purpose, links in LINKS.items():
        for link, tier, present in product(links, Tier, (False, True)):
            yield Facts(
                role=person.role,
                desk=person.desk,
                actor=person.kind,
                purpose=purpose,
                link=link,
                tier=tier,
                tie=Tie.NONE,
                risk=Risk.NONE,
                on_shift=True,
                same_tenant=True,
                same_region=True,
                fresh_mfa=True,
                reason_given=True,
                customer_present=present,
            )
