from dataclasses import replace

import pytest

from detectors.channels.vip import Vip
from policies.model import Link
from tests.unit.detectors.making import make_event, make_look


@pytest.mark.parametrize(
    ("tier", "link", "counts"),
    [
        ("vip", Link.NONE, True),
        ("wealthy", Link.SELF_OPENED, True),
        ("vip", Link.OWNER, False),
        ("standard", Link.NONE, False),
    ],
)
def test_only_weak_views_of_protected_customers_count(
    tier: str, link: Link, *, counts: bool
) -> None:
    look = make_look(link, event=replace(make_event(), tier=tier))
    assert Vip().observe([], look) is counts
