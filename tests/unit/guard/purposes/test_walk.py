import pytest

from guard.purposes import walk
from guard.purposes.walk import Walk


def test_the_first_key_of_an_agent_has_no_distance() -> None:
    assert Walk().step("a", "17") == (-1, -1)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("17", "17", 0), ("17", "18", 1), ("17", "19", 2), ("100", "1124", 11), ("9", "1", 4)],
)
def test_numeric_keys_have_the_bit_length_of_their_distance(
    one: str, other: str, expected: int
) -> None:
    steps = Walk()
    steps.step("a", one)
    assert steps.step("a", other) == (expected, -1)


def test_neighbours_in_the_alphabet_are_nearer_than_strangers() -> None:
    steps = Walk()
    steps.step("a", "miller")
    near = steps.step("a", "Millet")
    far = steps.step("a", "zhou")
    assert near[0] == far[0] == -1
    assert near[1] < far[1]


def test_agents_do_not_see_each_others_keys() -> None:
    steps = Walk()
    steps.step("a", "17")
    assert steps.step("b", "18") == (-1, -1)


def test_the_memory_is_bounded_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "REMEMBERED", 2)
    steps = Walk()
    for agent in ("a", "b", "c"):
        steps.step(agent, "1")
    assert steps.step("a", "1") == (-1, -1)
    assert steps.step("c", "2") == (1, -1)
