from collections.abc import Hashable
from itertools import product

import pytest

from policies.diagrams import Diagrams

SIZES = (2, 3, 2)
POINTS = tuple(product(*(range(size) for size in SIZES)))


def add(left: Hashable, right: Hashable) -> Hashable:
    assert isinstance(left, int)
    assert isinstance(right, int)
    return left + right


def both(left: Hashable, right: Hashable) -> Hashable:
    return left is True and right is True


@pytest.fixture
def made() -> Diagrams:
    return Diagrams(SIZES)


def test_equal_functions_are_one_node(made: Diagrams) -> None:
    assert made.leaf("a") == made.leaf("a")
    assert made.choice(1, [made.leaf("a")] * 3) == made.leaf("a")
    assert made.test(1, {0, 2}) == made.test(1, {2, 0})
    assert made.apply(both, made.test(0, {0}), made.test(0, {1})) == made.leaf(value=False)


def test_true_and_one_are_two_values(made: Diagrams) -> None:
    assert made.leaf(value=True) != made.leaf(1)


def test_a_combination_has_the_values_of_both_at_every_point(made: Diagrams) -> None:
    left = made.choice(0, [made.leaf(1), made.choice(2, [made.leaf(2), made.leaf(3)])])
    right = made.choice(1, [made.leaf(10), made.leaf(20), made.leaf(30)])
    summed = made.apply(add, left, right)

    for point in POINTS:
        assert made.at(summed, point) == add(made.at(left, point), made.at(right, point))
    assert made.apply(add, left, right) == summed
    assert made.fold(add, 0, [left, right]) == summed


def test_what_is_fixed_is_not_asked_again(made: Diagrams) -> None:
    node = made.choice(0, [made.leaf("no"), made.choice(2, [made.leaf("a"), made.leaf("b")])])

    assert made.fix(node, (0,)) == made.leaf("no")
    assert made.fix(node, (1, 2, 1)) == made.leaf("b")
    assert made.fix(made.leaf("x"), (1,)) == made.leaf("x")


def test_combinations_are_counted_also_where_nothing_is_asked(made: Diagrams) -> None:
    node = made.choice(0, [made.leaf("no"), made.choice(2, [made.leaf("no"), made.leaf("b")])])

    assert made.count(node) == {"no": 9, "b": 3}
    assert made.count(made.leaf("x")) == {"x": 12}
    assert made.count(made.fix(node, (1,)), asked=1) == {"no": 3, "b": 3}
    assert made.count(made.test(1, {0})) == {True: 4, False: 8}


def test_an_example_stays_as_near_to_what_is_usual_as_it_can(made: Diagrams) -> None:
    node = made.choice(0, [made.leaf("no"), made.choice(2, [made.leaf("no"), made.leaf("b")])])

    assert made.example(node, "b", (0, 2, 0)) == (1, 2, 1)
    assert made.example(node, "no", (1, 2, 0)) == (1, 2, 0)
    assert made.example(node, "no", (1, 2, 1)) == (1, 2, 0)


def test_there_is_no_example_of_what_never_happens(made: Diagrams) -> None:
    with pytest.raises(LookupError):
        made.example(made.leaf("no"), "b", (0, 0, 0))
