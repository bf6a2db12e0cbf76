"""The integrator's thread over a list of turns; the real turns are in `tests/contracts`."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from guard.entries import EntryKind, NewEntry
from guard.errors import ConflictError, DurabilityError, ForkError, StoreUnavailableError
from guard.ledger import integrator as module
from guard.ledger.integrator import TOLD, TURN, Integrator, tell_gaps
from guard.ports import Transaction
from guard.rows import Gap, Integrated

PATIENCE_S = 20.0
GAP = Gap(b"writer-1", 3, 5)


class Turns:
    """Gives each turn what the test said, then nothing; rings when all is given."""

    def __init__(self, *turns: Integrated | Exception) -> None:
        self.left = list(turns)
        self.taken = 0
        self.is_done = threading.Event()

    def integrate(self, limit: int) -> Integrated:
        assert limit == TURN
        self.taken += 1
        turn = self.left.pop(0) if self.left else Integrated(count=0)
        if not self.left:
            self.is_done.set()
        if isinstance(turn, Exception):
            raise turn
        return turn


def test_catching_up_goes_on_while_turns_are_full() -> None:
    turns = Turns(Integrated(count=TURN), Integrated(count=TURN, gaps=(GAP,)), Integrated(count=3))
    one = Integrator(turns)
    assert one.catch_up() == 2 * TURN + 3
    assert turns.taken == 3
    assert list(one.gaps) == [GAP]


def ended(one: Integrator) -> None:
    one.close()
    assert not any(thread.name == "integrator" for thread in threading.enumerate())


def test_a_commit_wakes_it_and_an_outage_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.001)
    turns = Turns(StoreUnavailableError("gone"), Integrated(count=1))
    one = Integrator(turns)
    one.start()
    one.wake()
    assert turns.is_done.wait(PATIENCE_S)
    one.check()
    ended(one)


def test_what_is_left_is_placed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", PATIENCE_S)
    turns = Turns()
    one = Integrator(turns)
    one.start()
    assert turns.is_done.wait(PATIENCE_S)
    before = turns.taken
    ended(one)
    assert turns.taken > before
    Integrator(turns).close()


def test_a_changed_entry_ends_it_and_is_said() -> None:
    turns = Turns(ForkError("pending entry 3 was changed"))
    one = Integrator(turns)
    one.start()
    one._thread.join(PATIENCE_S)  # noqa: SLF001 - it has ended by itself
    with pytest.raises(ForkError, match="was changed"):
        one.check()
    one.close()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (DurabilityError("the disk failed"), DurabilityError, "the disk failed"),
        (ConflictError("Maria Gonzalez"), ForkError, r"\(ConflictError\): run `guard fsck`"),
        (KeyError("Maria Gonzalez"), ForkError, r"\(KeyError\): run `guard fsck`"),
    ],
)
def test_whatever_ends_it_is_said(error: Exception, kind: type[Exception], words: str) -> None:
    one = Integrator(Turns(error))
    one.start()
    one._thread.join(PATIENCE_S)  # noqa: SLF001 - it has ended by itself
    with pytest.raises(kind, match=words) as caught:
        one.check()
    assert "Maria" not in str(caught.value)
    one.close()


def test_each_gap_is_told_by_an_entry() -> None:
    recorded: list[NewEntry] = []
    take: Callable[[int], list[Gap]] = lambda limit: [GAP] if limit == TOLD else []  # noqa: E731 - a row of a stand-in
    tx = SimpleNamespace(rows=SimpleNamespace(take_gaps=take), record=recorded.append)
    assert tell_gaps(7, cast("Transaction", tx)) == [GAP]
    (entry,) = recorded
    assert entry.kind is EntryKind.GAP
    assert entry.event.at == 7
    assert entry.event.body == {"writer": b"writer-1".hex(), "first": 3, "before": 5}
