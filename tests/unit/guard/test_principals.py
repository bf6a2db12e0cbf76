from tests.support.rig import make_caller


def test_a_human_has_one_key_and_an_ai_agent_adds_its_own() -> None:
    assert make_caller("a1").keys == ("agent:acme/a1",)
    assert make_caller("a1").actor_key is None
    assert make_caller("a1", actor="bot").keys == ("actor:acme/bot", "agent:acme/a1")


def test_keys_of_two_tenants_never_meet() -> None:
    assert make_caller("a1", tenant="other").agent_key != make_caller("a1").agent_key
