import pytest

from tests.tamper.conftest import stand, whole
from tests.tamper.stand import Stand

__all__ = ["stand", "whole"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE pending SET body = x'00' WHERE writer_seq = 2", "cannot be read"),
        ("UPDATE pending SET at = at + 1 WHERE writer_seq = 2", "another thing in its columns"),
        ("DELETE FROM pending WHERE writer_seq < 3", "number 0 to 2 of writer"),
        ("UPDATE pending SET writer_seq = -1 WHERE writer_seq = 2", "is there twice"),
    ],
)
def test_a_row_that_was_changed_or_deleted_is_told(stand: Stand, change: str, words: str) -> None:
    stand.sql(change)
    assert any(one.table == "pending" and words in one.what for one in stand.fsck().faults)


def test_a_flip_anywhere_in_a_body_is_told(stand: Stand) -> None:
    (body,) = stand.one("SELECT body FROM pending WHERE writer_seq = 3")
    assert isinstance(body, bytes)
    for place in range(0, len(body), 40):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        stand.sql("UPDATE pending SET body = ? WHERE writer_seq = 3", changed)
        assert stand.fsck().faults, place
