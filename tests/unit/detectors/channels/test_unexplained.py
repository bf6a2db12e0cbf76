import pytest

from detectors.channels.unexplained import Unexplained
from policies.model import Link
from tests.unit.detectors.making import make_look


@pytest.mark.parametrize("link", [Link.NONE, Link.PENDING])
def test_a_view_without_a_link_counts(link: Link) -> None:
    assert Unexplained().observe([], make_look(link))


@pytest.mark.parametrize("link", [Link.OWNER, Link.CAMPAIGN, Link.STALE, Link.SELF_OPENED])
def test_a_view_with_any_link_is_for_other_channels(link: Link) -> None:
    assert not Unexplained().observe([], make_look(link))
