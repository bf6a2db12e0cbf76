from guard.broker.deciding import SUSPENDED, UNKNOWN_CUSTOMER, UNKNOWN_PURPOSE
from guard.views import NEXT_STEPS, RefusalCode


def test_what_is_refused_before_the_policy_says_what_to_do() -> None:
    for refusal in (SUSPENDED, UNKNOWN_PURPOSE, UNKNOWN_CUSTOMER):
        assert ": " in refusal.reasons[0]
        assert refusal.determined_by


def test_every_kind_of_refusal_has_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(RefusalCode)
    assert all(NEXT_STEPS.values())
