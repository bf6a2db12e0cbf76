import copy

import pytest

from guard.rows import RawRecord


def test_a_raw_record_shows_nothing_of_itself() -> None:
    record = RawRecord({"email": "maria@example.com"})
    assert "maria" not in repr(record) + str(record) + f"{record}"


def test_a_raw_record_cannot_be_put_into_a_queue_or_copied() -> None:
    with pytest.raises(TypeError):
        copy.copy(RawRecord({"email": "maria@example.com"}))
