from api.console.charts import HEIGHT, HOURS, by_hour
from guard.clock import HOUR, MINUTE
from tests.unit.api.fakes import NOW

TOP = NOW // HOUR * HOUR


def test_views_are_counted_by_clock_hour() -> None:
    chart = by_hour([TOP, TOP + 59 * MINUTE, TOP - 1, TOP - HOUR - 1], TOP + MINUTE)
    assert [bar.count for bar in chart.bars[-3:]] == [1, 1, 2]
    assert (chart.total, chart.peak, len(chart.bars)) == (4, 2, HOURS)
    assert chart.bars[-1].start == TOP
    assert chart.bars[-1].height == HEIGHT


def test_what_lies_outside_is_left_out() -> None:
    chart = by_hour([TOP - HOURS * HOUR, TOP + HOUR], TOP)
    assert chart.total == 0
    assert all(bar.height == 0 for bar in chart.bars)


def test_a_single_view_beside_a_thousand_stays_visible() -> None:
    chart = by_hour([TOP] * 1000 + [TOP - HOUR], TOP)
    assert chart.bars[-2].height == 1
