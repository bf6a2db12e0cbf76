from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock

from guard.errors import ForkError, StoreUnavailableError
from guard.ledger import high_water
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.high_water import HighWater
from guard.ledger.note import NoteSigner

ORIGIN = "example.com/log"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))


def advance(mark: HighWater, size: int, root: bytes = b"r" * 32) -> bool:
    checkpoint = Checkpoint(ORIGIN, size, root)
    return mark.advance(checkpoint, sign_checkpoint(checkpoint, SIGNER))


def test_it_moves_forward_and_never_back(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "mark" / "high", SIGNER.verifier)
    assert mark.read() is None
    assert advance(mark, 5)
    assert advance(mark, 9)
    other = HighWater(tmp_path / "mark" / "high", SIGNER.verifier)
    assert advance(other, 9)
    assert not advance(other, 8)
    held = mark.read()
    assert held is not None
    assert held[0].size == 9


def test_two_roots_of_one_size_are_a_fork(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "high", SIGNER.verifier)
    advance(mark, 5)
    with pytest.raises(ForkError, match="another checkpoint of size 5"):
        advance(mark, 5, b"x" * 32)


@pytest.mark.parametrize(
    "content", [b"", b"x\n\n", sign_checkpoint(Checkpoint(ORIGIN, 5, b"r" * 32), STRANGER)]
)
def test_a_mark_that_this_key_did_not_sign_is_neither_read_nor_overwritten(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "high"
    path.write_bytes(content)
    mark = HighWater(path, SIGNER.verifier)
    with pytest.raises(ForkError, match="cannot be resumed"):
        mark.read()
    with pytest.raises(ForkError, match="cannot be resumed"):
        advance(mark, 9)
    assert path.read_bytes() == content


def test_a_mark_that_another_process_holds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(high_water, "WAIT_S", 0.01)
    mark = HighWater(tmp_path / "high", SIGNER.verifier)
    with FileLock(tmp_path / "high.lock"), pytest.raises(StoreUnavailableError, match="holds"):
        advance(mark, 5)
    assert advance(mark, 5)
