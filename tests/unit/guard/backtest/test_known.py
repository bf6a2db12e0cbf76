import pytest

from guard.backtest.known import EXPLAINED, KnownBad, Standing
from policies.model import Link

KNOWN = KnownBad(frozenset({7}), {"a1": ((10, 20), (40, 50))})


@pytest.mark.parametrize(
    ("index", "who", "link", "at", "standing"),
    [
        (7, "a1", "owner", 99, Standing.BAD),
        (7, "a2", "none", 99, Standing.BAD),
        (8, "a1", "none", 10, Standing.BAD),
        (8, "a1", "stale", 50, Standing.BAD),
        (8, "a1", "none", 30, Standing.WATCHED),
        (8, "a1", "owner", 15, Standing.WATCHED),
        (8, "a2", "owner", 15, Standing.HONEST),
        (8, "a2", "none", 15, Standing.UNEXPLAINED),
        (8, "a2", "", 15, Standing.UNEXPLAINED),
    ],
)
def test_what_is_known_of_a_request(
    index: int, who: str, link: str, at: int, standing: Standing
) -> None:
    assert KNOWN.standing(index, who, link, at) is standing


def test_what_explains_a_view_is_what_the_detectors_take_for_explained() -> None:
    from detectors.explanations import EXPLAINED as LEAST  # noqa: PLC0415 - as above
    from detectors.explanations import STRENGTH  # noqa: PLC0415 - a room that guard never imports

    assert {link.value for link in Link if STRENGTH[link] >= LEAST} == EXPLAINED
