import subprocess
import sys

import numpy as np
import pytest

from detectors import outliers
from detectors.errors import StateError
from detectors.outliers import FEATURES, FrozenEcod
from detectors.state import AgentState, Clocks, DayLog, Today
from tests.unit.detectors.making import make_profile

KEY = b"k" * 32
WIDTH = len(FEATURES)


def _rows(n: int = 600) -> list[list[float]]:
    rng = np.random.default_rng(5)
    table = rng.normal(0.0, 1.0, (n, WIDTH))
    # Some dimensions are zero nearly always, as shares of rare channels are.
    table[:, 3:7] = np.where(rng.random((n, 4)) < 0.05, rng.random((n, 4)), 0.0)
    table[:, 8] = 0.0
    out: list[list[float]] = table.tolist()
    return out


@pytest.fixture(scope="module", name="frozen")
def _frozen() -> FrozenEcod:
    model = outliers.fit(_rows())
    assert model is not None
    return model


def test_too_few_days_are_not_fitted() -> None:
    assert outliers.fit(_rows(outliers.ENOUGH_ROWS - 1)) is None


def test_an_ordinary_day_scores_low_and_a_strange_one_high(frozen: FrozenEcod) -> None:
    ordinary = frozen.score([0.0] * WIDTH)
    strange = frozen.score([6.0, 5.0, 5.0, 0.9, *[0.0] * (WIDTH - 4)])
    assert ordinary.score < 2.5 < strange.score


def test_the_terms_explain_the_score_largest_first(frozen: FrozenEcod) -> None:
    strange = frozen.score([0.0, 9.0, *[0.0] * (WIDTH - 2)])
    assert strange.terms[0][0] == "unexplained"
    assert [t for _, t in strange.terms] == sorted((t for _, t in strange.terms), reverse=True)


def test_frozen_scores_rank_days_as_pyod_does(frozen: FrozenEcod) -> None:
    # Slow to import, without types.
    from pyod.models.ecod import ECOD  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    rows = np.asarray(_rows())
    model = ECOD(contamination=0.01)
    model.fit(rows[:, rows.std(axis=0) > 0])
    ours = np.array([sum(t for _, t in frozen.score(r.tolist()).terms) for r in rows])
    theirs = np.asarray(model.decision_scores_)
    ranks = [np.argsort(np.argsort(x)) for x in (ours, theirs)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > 0.95


def test_a_sealed_model_scores_the_same_after_reading(frozen: FrozenEcod) -> None:
    again = outliers.unseal(outliers.seal(frozen, KEY), KEY)
    row = [0.3] * WIDTH
    assert again.score(row) == frozen.score(row)


@pytest.mark.parametrize("place", [0, 1, 20, 40, 400, -1])
def test_changed_bytes_are_refused(frozen: FrozenEcod, place: int) -> None:
    sealed = bytearray(outliers.seal(frozen, KEY))
    sealed[place] ^= 1
    with pytest.raises(StateError, match="fit it anew"):
        outliers.unseal(bytes(sealed), KEY)


def test_another_key_is_refused(frozen: FrozenEcod) -> None:
    with pytest.raises(StateError, match="not sealed by this key"):
        outliers.unseal(outliers.seal(frozen, KEY), b"x" * 32)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(40)])
def test_truncated_bytes_are_refused(sealed: bytes) -> None:
    with pytest.raises(StateError, match="fit it anew"):
        outliers.unseal(sealed, KEY)


def _state(looks: int) -> AgentState:
    state = AgentState(profile=make_profile(), today=Today(looks=looks), clocks=Clocks())
    state.days = [DayLog(1, 20, 0, 0, [], 0.0), DayLog(2, 40, 0, 0, [], 0.0)]
    return state


def test_a_short_day_is_not_compared() -> None:
    assert outliers.features(_state(outliers.LOOKS_OF_A_DAY - 1)) is None


def test_features_are_per_look_and_volume_against_the_own_usual() -> None:
    state = _state(60)
    state.today.hits[0] = 6
    row = outliers.features(state)
    assert row is not None
    assert len(row) == WIDTH
    assert row[0] == pytest.approx(np.log(2.0))
    assert row[1] == pytest.approx(0.1)


def test_only_fitting_imports_pyod() -> None:
    # In a fresh interpreter, since this one has fitted.
    code = "import sys, detectors.pipeline; sys.exit('pyod' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own words
    assert done.returncode == 0
