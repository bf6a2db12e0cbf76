import pytest

from detectors.channels.search_miss import SearchMiss
from tests.unit.detectors.making import make_search


@pytest.mark.parametrize(("results", "counts"), [(0, True), (1, False), (40, False)])
def test_only_searches_that_find_nobody_count(results: int, *, counts: bool) -> None:
    assert SearchMiss().observe([], make_search(results)) is counts
