import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-1, "under 0"),
        (0, "0 to under 100"),
        (99.99, "0 to under 100"),
        ("100", "100 to under 200"),
        (299, "200 to under 300"),
        (300, "300 or more"),
        ("1e20", "300 or more"),
    ],
)
def test_steps_include_their_lower_edge_only(value: float | str, shown: str) -> None:
    assert mask("bucket", size=100, lo=0, hi=300)(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.5, "-100 to under 0"), (-101, "-200 to under -100"), (10**13, "1000000000000 or more")],
)
def test_steps_without_ends_go_on_below_nought(value: float, shown: str) -> None:
    assert mask("bucket", size=100)(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-5, "under 0"), (0, "0 to under 1000"), (999, "0 to under 1000"), (1000, "1000 or more")],
)
def test_listed_edges_are_used_as_they_are(value: int, shown: str) -> None:
    assert mask("bucket", edges="0,1000")(value) == shown


@pytest.mark.parametrize("value", [None, True, "", "abc", "NaN", "Infinity", "1e30", "1" * 41])
def test_what_is_no_number_is_refused(value: str | bool | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        mask("bucket", size=100)(value)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"size": 7, "lo": 0, "hi": 100},
        {"size": 10, "lo": 100, "hi": 0},
        {"edges": "a,b"},
        {"edges": "5,1"},
        {"edges": f"0,{10**13}"},
        {"edges": ",".join(str(n) for n in range(65))},
    ],
)
def test_edges_that_make_no_sense_are_refused(params: dict[str, str | int]) -> None:
    with pytest.raises(UnmaskableError):
        mask("bucket", **params)
