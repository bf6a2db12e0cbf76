from policies.bundle import load_bundle
from policies.engine import Engine
from policies.explain import explain
from policies.model import Act, Forbid, Link, Permit, Role, Tie, Tier
from tests.support.policy_bundles import SMALL_CEDAR, default_files, make_facts, small_files

DEFAULT = Engine(load_bundle(default_files()))


def engine(more: str) -> Engine:
    return Engine(load_bundle(small_files(cedar=SMALL_CEDAR + more)))


def test_the_deciding_policies_speak_in_their_own_words() -> None:
    found = explain(DEFAULT, make_facts(tie=Tie.FAMILY), Act.VIEW)

    assert isinstance(found.decision, Forbid)
    (voice,) = found.decided
    assert (voice.id, voice.says, voice.file) == ("family-record", "forbid", "refuse.cedar")
    assert voice.reason == found.decision.reasons[0]
    assert voice.line > 1


def test_a_permit_is_explained_with_the_policies_of_every_class() -> None:
    found = explain(DEFAULT, make_facts(), Act.VIEW)

    assert isinstance(found.decision, Permit)
    assert [voice.id for voice in found.decided] == list(found.decision.determined_by)
    says = {voice.id: voice.says for voice in found.decided}
    assert (says["support-explained"], says["show-contact"]) == ("permit", "mask")


def test_one_class_is_explained_by_what_admits_and_what_shows_it() -> None:
    found = explain(DEFAULT, make_facts(link=Link.NONE, reason_given=True), Act.VIEW, "financial")

    assert [voice.id for voice in found.decided] == [
        "support-unexplained",
        "unexplained-sees-no-money",
    ]


def test_a_reveal_is_explained_by_what_opens() -> None:
    found = explain(DEFAULT, make_facts(reason_given=True), Act.REVEAL, "financial")

    assert [voice.id for voice in found.decided] == ["support-desk", "money-with-customer"]


def test_a_refusal_is_explained_whole_also_for_one_class() -> None:
    found = explain(DEFAULT, make_facts(same_tenant=False), Act.VIEW, "contact")

    assert [voice.id for voice in found.decided] == ["other-tenant"]


def test_what_nothing_permits_has_no_voice_and_names_what_was_close() -> None:
    found = explain(engine(""), make_facts(role=Role.LEAD), Act.VIEW)

    assert found.decided == ()
    (near,) = found.close
    assert near.voice.id == "let-in"
    assert near.missing == "role would have to be agent, it is lead"


def test_a_policy_that_one_condition_kept_out_is_close() -> None:
    found = explain(DEFAULT, make_facts(tier=Tier.VIP, link=Link.NONE), Act.VIEW)
    close = {near.voice.id: near.missing for near in found.close}

    assert close["support-related"] == "link would have to be related, it is none"
    assert close["off-shift-needs-case"] == "on_shift would have to be false, it is true"
    assert "vip-needs-owner" not in close  # it decides
    assert "reveal-by-people" not in close  # another act
    assert "support-explained-off-shift" not in close  # two conditions


def test_a_condition_on_several_facts_is_told_as_they_are() -> None:
    found = explain(DEFAULT, make_facts(), Act.CONTACT)
    close = {near.voice.id: near.missing for near in found.close}

    assert close["contact-needs-case"] == (
        "it does not apply to purpose = support_case, link = owner together"
    )


def test_a_condition_that_no_value_meets_says_so() -> None:
    text = (
        '@id("new") @reason("r") permit (principal, action == Action::"Admit", resource) '
        "when { context.on_shift && (context.fresh_mfa && !context.fresh_mfa || false) };"
    )
    found = explain(engine(text), make_facts(), Act.VIEW)

    assert [near.missing for near in found.close] == [
        "fresh_mfa would have to be another, it is false"
    ]
