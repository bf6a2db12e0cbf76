import pytest

from detectors.channels.stale_case import StaleCase
from policies.model import Link
from tests.unit.detectors.making import make_look


def test_a_view_on_a_closed_case_counts() -> None:
    assert StaleCase().observe([], make_look(Link.STALE))


@pytest.mark.parametrize("link", [x for x in Link if x is not Link.STALE])
def test_no_other_link_counts(link: Link) -> None:
    assert not StaleCase().observe([], make_look(link))
