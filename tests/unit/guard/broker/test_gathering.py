from guard.broker.gathering import purpose_of
from guard.views import ViewRequest
from policies.model import Purpose


def test_a_purpose_is_one_of_the_closed_set() -> None:
    assert purpose_of(ViewRequest(customer="c", purpose="outreach")) is Purpose.OUTREACH
    assert purpose_of(ViewRequest(customer="c", purpose="curiosity")) is None
