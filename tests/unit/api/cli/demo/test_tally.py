import pytest

from api.cli.demo.tally import EXPLAINED_ONLY, SUSPENDED, Tally
from detectors.floor_actions import View
from policies.model import Link, Purpose
from tests.support.makers import NOON


@pytest.fixture
def tally() -> Tally:
    return Tally(insider="eve")


def view(agent: str = "eve", customer: int = 1, truth: str = "honest") -> View:
    return View(
        at=NOON,
        agent_id=agent,
        customer=customer,
        case_id=None,
        purpose=Purpose.SUPPORT_CASE,
        link=Link.NONE,
        truth=truth,
    )


def test_honest_views_are_served_and_take_nothing(tally: Tally) -> None:
    tally.count_served(view())
    assert (tally.served, tally.taken) == (1, set())


def test_a_customer_seen_twice_without_reason_is_one_customer(tally: Tally) -> None:
    for customer in (1, 2, 1):
        tally.count_served(view(customer=customer, truth="photographer"))
    assert (tally.served, tally.taken) == (3, {1, 2})


def test_refusals_are_counted_by_their_code(tally: Tally) -> None:
    for code in ("quota", "policy", "quota"):
        tally.count_refused(view(), code)
    assert tally.refused == {"quota": 2, "policy": 1}
    assert tally.served == 0


def test_a_refusal_of_anybody_else_is_an_honest_one(tally: Tally) -> None:
    for code in ("policy", EXPLAINED_ONLY, SUSPENDED):
        tally.count_refused(view("bob"), code)
    assert tally.honest_refused == 3
    assert not tally.cut.is_set()
    assert not tally.stopped.is_set()


@pytest.mark.parametrize(
    ("code", "cut", "stopped"),
    [(EXPLAINED_ONLY, True, False), (SUSPENDED, False, True), ("quota", False, False)],
)
def test_what_stops_the_insider_rings(tally: Tally, code: str, cut: bool, stopped: bool) -> None:  # noqa: FBT001 - cases of the table
    tally.count_refused(view(), code)
    assert (tally.cut.is_set(), tally.stopped.is_set()) == (cut, stopped)
    assert tally.honest_refused == 0
