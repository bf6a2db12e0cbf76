from detectors.channels.photo_rhythm import PhotoRhythm
from policies.model import Link
from tests.unit.detectors.making import make_look


def _answers(*gaps: float | None, link: Link = Link.NONE) -> list[bool]:
    channel = PhotoRhythm()
    memory = channel.start()
    return [channel.observe(memory, make_look(link, gap_s=gap)) for gap in gaps]


def test_the_third_even_gap_counts() -> None:
    assert _answers(None, 60, 61, 59, 60) == [False, False, False, True, True]


def test_uneven_gaps_do_not_count() -> None:
    assert not any(_answers(None, 60, 110, 40, 200, 90))


def test_one_uneven_gap_starts_over() -> None:
    assert _answers(60, 60, 200, 200, 200) == [False, False, False, False, True]


def test_breaks_and_double_clicks_do_not_count() -> None:
    assert not any(_answers(900, 900, 900, 900))
    assert not any(_answers(1, 1, 1, 1))


def test_an_even_day_of_own_cases_does_not_count() -> None:
    assert not any(_answers(60, 60, 60, 60, link=Link.OWNER))
