from dataclasses import replace

import pytest

from guard.access_review.reach import LINKS, NOTHING, access_to
from guard.access_review.roster import Person
from policies.bundle import load_bundle
from policies.engine import Engine
from policies.model import ActorKind, Desk, Form, Link, Purpose, Role
from tests.support.policy_bundles import SMALL_CEDAR, small_files

AGENT = Person(id="a1", team="t1", role=Role.AGENT, desk=Desk.FRONT_LINE, kind=ActorKind.HUMAN)
REVEALS = SMALL_CEDAR + (
    '@id("reveal-contact")\n@reason("r")\n@form("plain")\npermit (principal, '
    'action == Action::"Reveal", resource) when { context.customer_present };\n'
)
NEEDS_A_CAMPAIGN = SMALL_CEDAR.replace(
    'resource == FieldClass::"contact");',
    'resource) when { context.link == Link::"campaign" && context.purpose == '
    'Purpose::"outreach" };',
)


def engine(cedar: str) -> Engine:
    return Engine(load_bundle(small_files(cedar=cedar)))


def test_every_purpose_has_the_links_that_the_broker_finds_for_it() -> None:
    assert set(LINKS) == set(Purpose)
    assert {link for links in LINKS.values() for link in links} == set(Link)


def test_people_are_grouped_by_what_a_policy_sees_and_by_team() -> None:
    people = [
        AGENT,
        replace(AGENT, id="a0"),
        replace(AGENT, id="a2", team="t2"),
        replace(AGENT, id="m", role=Role.MANAGER),
    ]
    groups = access_to(engine(SMALL_CEDAR), "contact", people)
    assert [(g.role, g.team, g.names, g.access.form) for g in groups] == [
        ("agent", "t1", ("a0", "a1"), Form.MASK),
        ("agent", "t2", ("a2",), Form.MASK),
        ("manager", "t1", ("m",), Form.HIDE),
    ]
    assert groups[0].access.by == ("let-in", "show-contact")
    assert groups[2].access == NOTHING


@pytest.mark.parametrize(
    ("cedar", "form", "act", "purpose", "link"),
    [
        (REVEALS, Form.PLAIN, "reveal", "support_case", "owner"),
        (NEEDS_A_CAMPAIGN, Form.MASK, "view", "outreach", "campaign"),
    ],
)
def test_the_most_open_circumstance_is_found(
    cedar: str, form: Form, act: str, purpose: str, link: str
) -> None:
    (group,) = access_to(engine(cedar), "contact", [AGENT])
    access = group.access
    assert (access.form, access.act, access.purpose, access.link) == (form, act, purpose, link)


def test_nobody_is_asked_about_twice() -> None:
    asked = engine(SMALL_CEDAR)
    access_to(asked, "contact", [replace(AGENT, id=f"a{n}", team=f"t{n}") for n in range(9)])
    once = asked.evaluations
    access_to(asked, "contact", [AGENT])
    assert asked.evaluations == once
