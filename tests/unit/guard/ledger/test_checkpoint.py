import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.ledger.checkpoint import (
    Checkpoint,
    log_key,
    open_checkpoint,
    parse_number,
    parse_text,
    sign_checkpoint,
)
from guard.ledger.merkle import EMPTY_ROOT
from guard.ledger.note import NoteSigner

SIGNER = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
CHECKPOINT = Checkpoint("example.com/log", 7, b"r" * 32)


def test_a_signed_checkpoint_opens_and_is_deterministic() -> None:
    note = sign_checkpoint(CHECKPOINT, SIGNER)
    assert open_checkpoint(note, SIGNER.verifier) == CHECKPOINT
    assert sign_checkpoint(CHECKPOINT, SIGNER) == note


def test_the_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint("example.com/log", 0, EMPTY_ROOT)
    assert open_checkpoint(sign_checkpoint(empty, SIGNER), SIGNER.verifier) == empty
    assert empty.text().split("\n")[1] == "0"


def test_extension_lines_are_kept() -> None:
    extended = Checkpoint("example.com/log", 7, b"r" * 32, ("a", "b"))
    assert parse_text(extended.text()) == extended


def test_another_logs_checkpoint_is_refused() -> None:
    other = Checkpoint("example.com/else", 7, b"r" * 32)
    with pytest.raises(ProofError, match="is not of log"):
        open_checkpoint(sign_checkpoint(other, SIGNER), SIGNER.verifier)


def test_a_witness_key_is_no_log_key() -> None:
    assert log_key(SIGNER.vkey) == SIGNER.verifier
    with pytest.raises(ProofError, match="witness"):
        log_key(SIGNER.cosigner.encode())


@pytest.mark.parametrize("text", ["0", "1", "9", "10", str(2**63 - 1)])
def test_plain_decimals_are_numbers(text: str) -> None:
    assert parse_number(text) == int(text)


@pytest.mark.parametrize("text", ["", "-0", "00", "01", "+1", "1.", "٣", "²", str(2**63), "9" * 20])
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(ProofError):
        parse_number(text)


ROOT = "cnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "o\n7\n",
        f"o\n7\n{ROOT}",
        f"\n7\n{ROOT}\n",
        f"o\n\n{ROOT}\n",
        f"o\n7\n{ROOT}\n\n",
        f"o\n07\n{ROOT}\n",
        f"o\n0\n{ROOT}\n",
        "o\n7\ncnJy\n",
        f"o\n7\n{ROOT[:-1]}\n",
        f"o\n7\n{ROOT[:-2]}J=\n",
    ],
    ids=range(12),
)
def test_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    assert parse_text(f"o\n7\n{ROOT}\n").root == b"r" * 32
    with pytest.raises(ProofError):
        parse_text(text)
