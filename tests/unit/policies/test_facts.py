import pytest

from policies.errors import FactsError
from policies.facts import admit_request, parse_facts, probes, show_request
from policies.model import Facts, Link, Purpose, Risk, Role, Tier
from tests.support.policy_bundles import make_facts


def test_facts_come_back_from_what_was_stored() -> None:
    facts = make_facts(link=Link.STALE, fresh_mfa=True)

    assert parse_facts(facts.as_dict()) == facts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mood": "good"}, "unknown fact `mood`: use role, desk, actor"),
        ({"link": "cousin"}, "fact `link` must be one of owner, escalation"),
        ({"link": True}, "fact `link` must be one of owner"),
        ({"link": None}, "fact `link` must be one of owner"),
        ({"on_shift": "yes"}, "fact `on_shift` must be true or false"),
        ({"on_shift": 1}, "fact `on_shift` must be true or false"),
    ],
)
def test_facts_outside_the_closed_set_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(FactsError, match=message):
        parse_facts({**make_facts().as_dict(), **change})


def test_a_missing_fact_is_refused() -> None:
    values = dict(make_facts().as_dict())
    del values["same_tenant"]

    with pytest.raises(FactsError, match="fact `same_tenant` must be true or false"):
        parse_facts(values)


def test_the_role_asks_and_every_fact_is_in_the_context() -> None:
    request = admit_request(make_facts())

    assert request["principal"] == {"type": "Role", "id": "agent"}
    assert request["action"] == {"type": "Action", "id": "Admit"}
    context = request["context"]
    assert isinstance(context, dict)
    assert set(context) == set(Facts.__dataclass_fields__)
    assert context["link"] == {"__entity": {"type": "Link", "id": "owner"}}
    assert context["on_shift"] is True


def test_a_class_is_asked_about_as_a_resource() -> None:
    request = show_request(make_facts(), "contact")

    assert request["action"] == {"type": "Action", "id": "Show"}
    assert request["resource"] == {"type": "FieldClass", "id": "contact"}


def test_probes_hold_every_value_of_every_fact() -> None:
    found = probes()

    for enum, name in ((Role, "role"), (Purpose, "purpose"), (Link, "link")):
        assert {getattr(facts, name) for facts in found} == set(enum)
    assert {facts.tier for facts in found} == set(Tier)
    assert {facts.risk for facts in found} == set(Risk)
    assert {facts.fresh_mfa for facts in found} == {True, False}
