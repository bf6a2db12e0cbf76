import pytest

from detectors.channels.self_opened import SelfOpened
from policies.model import Link
from tests.unit.detectors.making import make_look


def test_a_view_on_a_self_opened_case_counts() -> None:
    assert SelfOpened().observe([], make_look(Link.SELF_OPENED))


@pytest.mark.parametrize("link", [x for x in Link if x is not Link.SELF_OPENED])
def test_no_other_link_counts(link: Link) -> None:
    assert not SelfOpened().observe([], make_look(link))
