from collections.abc import Iterable
from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.attribution import attribute, hypergeometric_tail
from guard.events import AccessEvent
from tests.unit.detectors.making import NINE, make_event


def _views(agent: str, customers: Iterable[int]) -> list[AccessEvent]:
    return [replace(make_event(customer=f"c{c}"), agent_id=agent) for c in customers]


def _floor(seed: int = 1) -> tuple[list[AccessEvent], dict[str, list[int]]]:
    rng = np.random.default_rng(seed)
    seen = {f"a{i:02d}": rng.choice(5000, 300, replace=False).tolist() for i in range(30)}
    return [e for a, cs in seen.items() for e in _views(a, cs)], seen


def test_the_only_source_is_found_and_all_others_are_exonerated() -> None:
    events, seen = _floor()
    leaked = {f"c{c}" for c in seen["a07"][:200]}
    found = attribute(events, leaked, population=5000)
    assert [s.agent_id for s in found.suspects] == ["a07"]
    assert set(found.exonerated) == set(seen) - {"a07"}
    assert found.suspects[0].overlap == 200
    assert found.suspects[0].expected == pytest.approx(300 * 200 / 5000)
    assert found.suspects[0].weight > 0.9
    assert "saw 200 of the 200 leaked customers" in found.suspects[0].sentence


def test_two_sources_share_the_weight() -> None:
    events, seen = _floor()
    leaked = {f"c{c}" for c in [*seen["a03"][:150], *seen["a21"][:50]]}
    found = attribute(events, leaked, population=5000)
    assert [s.agent_id for s in found.suspects] == ["a03", "a21"]
    assert found.suspects[0].weight == pytest.approx(0.75, abs=0.08)


def test_a_colleague_who_shares_customers_loses_the_weight_to_the_source() -> None:
    events, seen = _floor()
    neighbour = [*seen["a07"][:40], *range(6000, 6300)]
    events += _views("neighbour", neighbour)
    found = attribute(events, {f"c{c}" for c in seen["a07"][:200]}, population=6300)
    weights = {s.agent_id: s.weight for s in found.suspects}
    assert weights["a07"] > 0.9
    assert weights.get("neighbour", 0.0) < 0.05


def test_a_leak_from_elsewhere_accuses_nobody() -> None:
    events, seen = _floor()
    rng = np.random.default_rng(9)
    leaked = {f"c{c}" for c in rng.choice(5000, 200, replace=False)}
    found = attribute(events, leaked, population=5000)
    assert len(found.suspects) == 0
    assert len(found.exonerated) == len(seen)


def test_customers_that_nobody_saw_are_counted() -> None:
    events, _ = _floor()
    found = attribute(events, {"c99999", "c99998"})
    assert (found.leaked, found.unseen, found.suspects) == (2, 2, ())


def test_refused_and_later_views_do_not_count() -> None:
    refused = [replace(e, outcome="refused") for e in _views("a", range(50))]
    later = [replace(e, ts=NINE + 1) for e in _views("b", range(50))]
    found = attribute([*refused, *later], {f"c{c}" for c in range(50)}, until=NINE)
    assert (found.suspects, found.exonerated, found.unseen) == ((), (), 50)


def test_nothing_leaked_accuses_nobody() -> None:
    events, seen = _floor()
    assert attribute(events, ()).exonerated == tuple(sorted(seen))


@given(st.integers(1, 40), st.data())
def test_the_tail_is_the_hypergeometric_one(size: int, data: st.DataObject) -> None:
    marked = data.draw(st.integers(0, size))
    drawn = data.draw(st.integers(0, size))
    k = data.draw(st.integers(0, size))
    exact = sum(
        comb(marked, i) * comb(size - marked, drawn - i)
        for i in range(k, min(drawn, marked) + 1)
        if drawn - i <= size - marked
    ) / comb(size, drawn)
    assert hypergeometric_tail(size, marked, drawn, k) == pytest.approx(exact, abs=1e-9)
