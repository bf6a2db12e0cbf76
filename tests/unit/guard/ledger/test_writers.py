from collections.abc import Callable
from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import ProofError
from guard.ledger.entry import Leaf, encode_leaf
from guard.ledger.writers import Writers

OPEN = Leaf(
    entry_id=bytes(16),
    at=100,
    kind=EntryKind.WRITER_OPEN,
    writer=b"writer-1",
    writer_seq=0,
    tag=bytes(16),
    commitment=bytes(32),
)
VIEW = replace(OPEN, kind=EntryKind.VIEW, writer_seq=1, at=101)


def test_a_story_without_a_gap_is_believed() -> None:
    writers = Writers()
    close = replace(OPEN, kind=EntryKind.WRITER_CLOSE, writer_seq=2, at=101)
    for index, leaf in enumerate([OPEN, VIEW, close]):
        writers.follow(index, leaf)
    assert set(writers.known) == {b"writer-1"}


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ([VIEW], "is at 1 where 0 is due"),
        ([OPEN, replace(VIEW, writer_seq=2)], "is at 2 where 1 is due"),
        ([OPEN, VIEW, VIEW], "is at 1 where 2 is due"),
        ([replace(OPEN, kind=EntryKind.VIEW)], "not opened first"),
        ([OPEN, replace(VIEW, kind=EntryKind.WRITER_OPEN)], "not opened first"),
        ([OPEN, replace(VIEW, at=99)], "goes back in time"),
        (
            [OPEN, replace(VIEW, kind=EntryKind.WRITER_CLOSE), replace(VIEW, writer_seq=2)],
            "was closed before",
        ),
    ],
)
def test_the_entry_that_breaks_a_story_is_named(story: list[Leaf], words: str) -> None:
    writers = Writers()
    for index, leaf in enumerate(story[:-1]):
        writers.follow(index, leaf)
    with pytest.raises(ProofError, match=words) as caught:
        writers.follow(len(story) - 1, story[-1])
    assert caught.value.index == len(story) - 1


def test_gaps_that_nothing_has_told_are_named() -> None:
    writers = Writers(may_have_gaps=True)
    writers.follow(0, OPEN)
    writers.follow(1, replace(VIEW, writer_seq=5))
    assert [one.index for one in writers.untold] == [1]
    writers.follow(2, replace(VIEW, kind=EntryKind.GAP, writer_seq=6))
    assert writers.untold == ()


def test_after_a_gap_the_story_goes_on_behind_it() -> None:
    writers = Writers()
    writers.follow(0, OPEN)
    with pytest.raises(ProofError):
        writers.follow(1, replace(VIEW, writer_seq=5))
    writers.follow(2, replace(VIEW, writer_seq=6))


def test_a_writer_may_be_met_in_the_middle_of_its_story() -> None:
    writers = Writers(from_the_beginning=False)
    writers.follow(70, replace(VIEW, writer_seq=40))
    with pytest.raises(ProofError, match="is at 42 where 41 is due"):
        writers.follow(71, replace(VIEW, writer_seq=42))


def test_no_entries_change_no_story() -> None:
    writers = Writers()
    writers.follow_all(0, [])
    assert writers.known == {}


CHANGES: dict[str, Callable[[Leaf], Leaf]] = {
    "nothing": lambda leaf: leaf,
    "same time": lambda leaf: replace(leaf, at=leaf.at - 1),
    "back in time": lambda leaf: replace(leaf, at=leaf.at - 5),
    "ahead of the next": lambda leaf: replace(leaf, at=leaf.at + 5),
    "missing": lambda leaf: replace(leaf, writer_seq=leaf.writer_seq + 1),
    "repeated": lambda leaf: replace(leaf, writer_seq=leaf.writer_seq - 1),
    "opened twice": lambda leaf: replace(leaf, kind=EntryKind.WRITER_OPEN),
    "closed": lambda leaf: replace(leaf, kind=EntryKind.WRITER_CLOSE),
    "a gap": lambda leaf: replace(leaf, kind=EntryKind.GAP),
    "a stranger": lambda leaf: replace(leaf, writer=b"stranger"),
}


@pytest.mark.parametrize("changed", [10, 11, 25, 39])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_many_are_judged_as_one_after_the_other(
    change: Callable[[Leaf], Leaf], changed: int
) -> None:
    story = [OPEN, *(replace(VIEW, writer_seq=n, at=100 + n) for n in range(1, 40))]
    story[changed] = change(story[changed])
    single, many = Writers(), Writers()

    leaves = [encode_leaf(leaf) for leaf in story]

    def one_by_one() -> None:
        for index, leaf in enumerate(story):
            single.follow(index, leaf)

    def in_pieces() -> None:
        for start, end in ((0, 10), (10, 30), (30, 40)):
            many.follow_all(start, leaves[start:end])

    assert _verdict(one_by_one) == _verdict(in_pieces)
    assert single.known == many.known


def _verdict(judge: Callable[[], None]) -> tuple[str, int | None] | None:
    try:
        judge()
    except ProofError as error:
        return str(error), error.index
    return None
