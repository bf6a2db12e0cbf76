from dataclasses import replace

import pytest

from detectors.channels.walk import Walk
from policies.model import Link
from tests.unit.detectors.making import make_event, make_look


def _answers(*customers: str, link: Link = Link.NONE) -> list[bool]:
    channel = Walk()
    memory = channel.start()
    return [
        channel.observe(memory, make_look(link, event=make_event(customer=c))) for c in customers
    ]


def test_neighbouring_numbers_count() -> None:
    assert _answers("c-100", "c-101", "c-105") == [False, True, True]


def test_distant_numbers_do_not_count() -> None:
    assert _answers("c-100", "c-900", "c-500") == [False, False, False]


def test_the_same_customer_again_is_no_walk() -> None:
    assert _answers("c-100", "c-100") == [False, False]


def test_working_down_a_list_with_a_reason_is_no_walk() -> None:
    assert _answers("c-100", "c-101", link=Link.CAMPAIGN) == [False, False]


@pytest.mark.parametrize("customer", ["", "nobody", "9" * 40])
def test_ids_without_a_usable_number_are_left_alone(customer: str) -> None:
    assert _answers(customer, customer) == [False, False]


@pytest.mark.parametrize(
    ("walk", "counts"),
    [((1, -1), True), ((3, -1), True), ((4, -1), False), ((0, -1), False), ((-1, 2), True)],
)
def test_the_recorded_distance_is_used_where_there_is_one(
    walk: tuple[int, int], *, counts: bool
) -> None:
    channel = Walk()
    look = make_look(event=replace(make_event(), walk=walk))
    assert channel.observe(channel.start(), look) is counts
