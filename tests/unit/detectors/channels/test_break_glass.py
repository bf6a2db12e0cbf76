import pytest

from detectors.channels.break_glass import BreakGlass
from policies.model import Link
from tests.unit.detectors.making import make_look


@pytest.mark.parametrize("link", Link)
def test_only_what_was_opened_by_break_glass_counts(link: Link) -> None:
    assert BreakGlass().observe([], make_look(link)) is (link is Link.BREAK_GLASS)
