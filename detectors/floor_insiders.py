"""What insiders add to a day of the simulated floor, habit by habit.

Each habit is written from the outside, as its behaviour looks on the floor; the detectors know none
of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.floor_actions import Action, Assigned, CaseClosed, CaseOpened, Habit, View
from guard.clock import HOUR, MINUTE, SECOND, Micros
from policies.model import Link, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What an insider finds on the floor that day.

    `shift` is the agent's own, in absolute time; `queue` holds customers of colleagues' cases of
    the day, `protected` the protected ones, `customers` how many there are in all.
    """

    agent_id: str
    device: str
    shift: tuple[Micros, Micros]
    midnight: Micros
    day: int
    queue: Sequence[int]
    protected: Sequence[int]
    customers: int
    count: int
    rng: np.random.Generator


USUAL: Mapping[Habit, int] = {
    Habit.PHOTOGRAPHER: 40,
    Habit.SLOW: 8,
    Habit.RING: 12,
    Habit.SELF_OPENED: 14,
    Habit.STALE: 12,
    Habit.OFF_SHIFT: 30,
    Habit.WALKER: 25,
    Habit.VIP: 5,
}
# A photographer works through colleagues' queues for this long a day, in blocks between calls.
SWEEP_HOURS = 4
BLOCKS = 6


def plan(habit: Habit, chance: Chance) -> list[Action]:
    """The extra actions of one agent on one day."""
    return _PLANS[habit](chance)


def _view(chance: Chance, habit: Habit, at: float, customer: int, link: Link = Link.NONE) -> View:
    return View(
        at=int(at),
        agent_id=chance.agent_id,
        customer=int(customer),
        case_id=None,
        purpose=Purpose.SUPPORT_CASE,
        link=link,
        truth=habit,
        device=chance.device,
    )


def _times(chance: Chance) -> list[float]:
    begin, end = chance.shift
    return sorted(chance.rng.uniform(begin, end, chance.count).tolist())


def _photographer(chance: Chance) -> list[Action]:
    rng, (begin, end) = chance.rng, chance.shift
    gap = HOUR / chance.count
    out: list[Action] = []
    starts = np.sort(rng.uniform(begin + HOUR / 2, end - HOUR, BLOCKS))
    for start in starts:
        at = float(start)
        for _ in range(chance.count * SWEEP_HOURS // BLOCKS):
            if at >= end:
                break
            out.append(_view(chance, Habit.PHOTOGRAPHER, at, rng.choice(chance.queue)))
            at += gap * rng.normal(1.0, 0.03)
    return out


def _scattered(habit: Habit) -> Callable[[Chance], list[Action]]:
    def _plan(chance: Chance) -> list[Action]:
        picks = chance.rng.choice(chance.customers, chance.count, replace=False) + 1
        return [_view(chance, habit, t, c) for t, c in zip(_times(chance), picks, strict=True)]

    return _plan


def _self_opened(chance: Chance) -> list[Action]:
    out: list[Action] = []
    for i, at in enumerate(_times(chance)):
        customer = int(chance.rng.integers(1, chance.customers + 1))
        case_id = f"c{chance.day:03d}-s{chance.agent_id}-{i:03d}"
        opened = CaseOpened(
            at=int(at) - 20 * SECOND,
            case_id=case_id,
            customer=customer,
            channel="manual",
            opened_by=chance.agent_id,
        )
        taken = Assigned(
            at=int(at) - 19 * SECOND,
            case_id=case_id,
            customer=customer,
            agent_id=chance.agent_id,
            how="self",
        )
        seen = _view(chance, Habit.SELF_OPENED, at, customer, Link.SELF_OPENED)
        closed = CaseClosed(at=int(at) + 2 * MINUTE, case_id=case_id, customer=customer)
        out += [opened, taken, seen, closed]
    return out


def _stale(chance: Chance) -> list[Action]:
    picks = chance.rng.choice(chance.queue, chance.count)
    pairs = zip(_times(chance), picks, strict=True)
    return [_view(chance, Habit.STALE, t, c, Link.STALE) for t, c in pairs]


def _off_shift(chance: Chance) -> list[Action]:
    # After the shift where the day leaves room, else before it.
    begin, end = chance.shift
    room = chance.midnight + 24 * HOUR - end
    at = float(end + 2 * HOUR if room > 4 * HOUR else begin - 4 * HOUR)
    out: list[Action] = []
    for _ in range(chance.count):
        customer = int(chance.rng.integers(1, chance.customers + 1))
        out.append(_view(chance, Habit.OFF_SHIFT, at, customer))
        at += float(chance.rng.uniform(0.5, 4.0)) * MINUTE
    return out


def _walker(chance: Chance) -> list[Action]:
    first = int(chance.rng.integers(1, chance.customers - chance.count))
    return [_view(chance, Habit.WALKER, t, first + i) for i, t in enumerate(_times(chance))]


def _vip(chance: Chance) -> list[Action]:
    picks = chance.rng.choice(chance.protected, chance.count)
    return [_view(chance, Habit.VIP, t, c) for t, c in zip(_times(chance), picks, strict=True)]


_PLANS: Mapping[Habit, Callable[[Chance], list[Action]]] = {
    Habit.PHOTOGRAPHER: _photographer,
    Habit.SLOW: _scattered(Habit.SLOW),
    Habit.RING: _scattered(Habit.RING),
    Habit.SELF_OPENED: _self_opened,
    Habit.STALE: _stale,
    Habit.OFF_SHIFT: _off_shift,
    Habit.WALKER: _walker,
    Habit.VIP: _vip,
}
