from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import calibration
from detectors.calibration import DEFAULT_STAT, DEFAULT_TOP, fit_tail, score
from detectors.cusum import STATS
from detectors.state import Calibration, Tail


def test_the_threshold_is_the_log_of_the_budget() -> None:
    assert calibration.threshold(1 / 1000) == pytest.approx(log(1000))


@given(st.floats(0, 50), st.floats(0, 50), st.floats(0, 20), st.floats(0.5, 9))
def test_a_higher_value_never_scores_less(a: float, b: float, start: float, slope: float) -> None:
    tail = Tail(start, 0.1, slope)
    low, high = sorted((a, b))
    assert score(tail, low) <= score(tail, high)


def test_score_and_chance_agree() -> None:
    tail = Tail(2.0, 0.1, 1.5)
    assert calibration.chance(tail, 5.0) == pytest.approx(0.1 * exp(-2.0))


def test_a_fitted_tail_is_no_thinner_than_the_truth() -> None:
    values = np.random.default_rng(1).exponential(2.0, 2000).tolist()
    tail = fit_tail(values, 2000, DEFAULT_STAT)
    assert score(tail, 2.0 * log(1000)) <= log(1000)
    assert score(tail, 2.0 * log(1000)) > 0.6 * log(1000)


def test_a_few_insiders_in_the_warm_up_barely_move_the_line() -> None:
    honest = np.random.default_rng(2).exponential(2.0, 2000).tolist()
    clean = fit_tail(honest, 2000, DEFAULT_STAT)
    soiled = fit_tail([*honest, *[300.0] * 5], 2005, DEFAULT_STAT)
    assert score(soiled, 40.0) > 0.9 * score(clean, 40.0)


def test_too_little_history_keeps_the_default() -> None:
    assert fit_tail([1.0] * 10, calibration.ENOUGH - 1, DEFAULT_STAT) is DEFAULT_STAT


def test_a_rare_statistic_is_not_called_rarer_than_was_seen() -> None:
    never = fit_tail([], 1000, DEFAULT_STAT)
    seldom = fit_tail([4.0] * 5, 1000, DEFAULT_STAT)
    for tail in (never, seldom):
        assert tail.share >= calibration.RAREST
        assert tail.slope >= DEFAULT_STAT.slope


def test_one_yes_on_a_never_seen_channel_raises_nothing() -> None:
    days: list[tuple[str, dict[int, float]]] = [("human/agent", {}) for _ in range(1000)]
    fitted = calibration.fit(days)
    one_yes = calibration.best(fitted, {STATS - 4: 4.5, STATS - 2: 3.0})
    assert calibration.final(fitted, "human/agent", one_yes) < log(1000)


def test_strata_have_their_own_line_where_they_have_days_enough() -> None:
    rng = np.random.default_rng(3)
    days = [("calm", {0: float(v)}) for v in rng.exponential(1.0, 500)]
    days += [("rough", {0: float(v)}) for v in rng.exponential(6.0, 500)]
    days += [("new", {0: 1.0})]
    fitted = calibration.fit(days)
    assert fitted.strata["calm"].start < fitted.strata["rough"].start
    assert fitted.strata["new"] == fitted.strata[""]
    assert fitted.agent_days == 1001


def test_without_calibration_the_defaults_stand() -> None:
    empty = Calibration()
    assert calibration.best(empty, {}) == 0.0
    assert calibration.best(empty, {0: 5.0}) == score(DEFAULT_STAT, 5.0)
    assert calibration.final(empty, "any", 6.0) == score(DEFAULT_TOP, 6.0)


def test_groups_are_fitted_with_their_silent_days() -> None:
    assert calibration.fit_groups([0.0] * 400 + [3.0] * 4).share < 0.05
