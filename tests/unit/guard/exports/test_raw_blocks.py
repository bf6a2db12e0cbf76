import io

import pytest

from guard.errors import ProofError
from guard.exports.raw_blocks import MAGIC, check_blocks, parse_blocks, read_block
from guard.ports import ReadView


class Kept:
    """A store with three entries: own, another tenant's, own with a lost part."""

    def raw_entries(
        self, _tenant: str, start: int, end: int
    ) -> list[tuple[int, bytes, int | None, bytes | None]]:
        leaf = bytes(90)
        rows: list[tuple[int, bytes, int | None, bytes | None]] = [
            (0, leaf, 0, b"event"),
            (1, leaf, None, None),
            (2, leaf, 2, None),
        ]
        return rows[start:end]

    def raw_subjects(self, _start: int, _end: int) -> list[tuple[int, bytes | None]]:
        return [(0, b"s1"), (0, b"s2"), (1, b"theirs"), (2, b"s3")]


def block(start: int = 0, end: int = 3) -> bytes:
    kept: ReadView = Kept()  # type: ignore[assignment] # the two reads that a block needs
    return read_block(kept, "acme", start, end)


def test_a_block_holds_own_parts_and_of_others_the_leaf() -> None:
    held = list(parse_blocks(io.BytesIO(block())))
    assert [(h.index, h.parts) for h in held] == [
        (0, (b"event", b"s1", b"s2")),
        (1, ()),
        (2, (None, b"s3")),
    ]
    assert b"theirs" not in block()


def test_a_missing_entry_is_no_block() -> None:
    with pytest.raises(ProofError, match="missing"):
        block(0, 4)


@pytest.mark.parametrize("cut", [1, 10, 30, 100, 300, -1])
def test_a_file_that_breaks_off_is_found(cut: int) -> None:
    with pytest.raises(ProofError):
        list(parse_blocks(io.BytesIO(block()[:cut])))


def test_what_is_no_block_or_contradicts_itself_is_found() -> None:
    for wrong in (b"x" + block()[1:], MAGIC + block()[4:24] + bytes(12) + block()[36:]):
        with pytest.raises(ProofError):
            list(parse_blocks(io.BytesIO(wrong)))


def test_a_gap_is_found_and_a_lost_part_is_named() -> None:
    with pytest.raises(ProofError) as caught:
        check_blocks(parse_blocks(io.BytesIO(block(1, 3))))
    assert caught.value.index == 0
    with pytest.raises(ProofError) as caught:
        check_blocks(parse_blocks(io.BytesIO(block())))
    assert caught.value.index == 0
