from dataclasses import replace

import pytest

from detectors.channels.off_shift import OffShift
from policies.model import Link
from tests.unit.detectors.making import make_look


@pytest.mark.parametrize(
    ("on_shift", "link", "counts"),
    [
        (False, Link.NONE, True),
        (False, Link.STALE, True),
        (False, Link.OWNER, False),
        (True, Link.NONE, False),
        (None, Link.NONE, False),
    ],
)
def test_only_weak_views_known_to_be_off_shift_count(
    link: Link, *, on_shift: bool | None, counts: bool
) -> None:
    look = replace(make_look(link), on_shift=on_shift)
    assert OffShift().observe([], look) is counts
