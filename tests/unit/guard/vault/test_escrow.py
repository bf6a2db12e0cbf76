from pathlib import Path

import pytest

from guard.errors import KeyUnavailableError
from guard.vault.escrow import Escrow


def test_the_newest_keys_of_a_bucket_are_found_by_any_of_its_names(tmp_path: Path) -> None:
    escrow = Escrow(tmp_path / "rewrapped")
    assert escrow.buckets() == []
    assert escrow.of("b1") is None
    escrow.put("acme", "b1.1", {"c2": b"two", "c1": b"one"})
    escrow.put("acme", "b1.2", {"c2": b"again"})
    escrow.put("acme", "b7.1", {})
    kept = escrow.of("b1")
    assert kept is not None
    assert (kept.tenant, kept.bucket, kept.keys) == ("acme", "b1.2", {"c2": b"again"})
    assert escrow.of("b1.5") == kept
    assert [one.bucket for one in escrow.buckets()] == ["b1.2", "b7.1"]


def test_a_damaged_file_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    escrow = Escrow(tmp_path)
    escrow.put("acme", "b1.1", {"c1": b"one"})
    (tmp_path / "b1.json").write_bytes(b"{")
    with pytest.raises(KeyUnavailableError):
        escrow.of("b1.1")
    with pytest.raises(KeyUnavailableError):
        escrow.buckets()
