import pytest

from detectors.channels.related import Related
from policies.model import Link
from tests.unit.detectors.making import make_look


def test_a_view_excused_by_a_related_account_counts() -> None:
    assert Related().observe([], make_look(Link.RELATED))


@pytest.mark.parametrize("link", [x for x in Link if x is not Link.RELATED])
def test_no_other_link_counts(link: Link) -> None:
    assert not Related().observe([], make_look(link))
