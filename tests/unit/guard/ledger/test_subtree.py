from base64 import b64encode

import pytest

from guard.errors import ProofError
from guard.ledger.subtree import subtree_message

ROOT = bytes(range(32))
TEXT = f"example.com/log\n300\n{b64encode(ROOT).decode()}\n"


def test_the_message_is_laid_out_as_the_standard_says() -> None:
    by_hand = (
        b"subtree/v1\n\x00"
        + bytes([11])
        + b"w.example/1"
        + (1_764_000_000).to_bytes(8, "big")
        + bytes([15])
        + b"example.com/log"
        + bytes(8)
        + (300).to_bytes(8, "big")
        + ROOT
    )
    assert subtree_message("w.example/1", 1_764_000_000, TEXT) == by_hand
    assert subtree_message("w.example/1", 1_764_000_000, TEXT + "an extension\n") == by_hand


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/log\n",
        "example.com/log\n300\n",
        "example.com/log\nmany\n" + TEXT.split("\n")[2] + "\n",
        "example.com/log\n-1\n" + TEXT.split("\n")[2] + "\n",
        f"example.com/log\n{1 << 63}\n" + TEXT.split("\n")[2] + "\n",
        "example.com/log\n300\nAAAA\n",
        "example.com/log\n300\n~\n",
        "example.com/log\n300\nA\n",
    ],
    ids=range(9),
)
def test_what_is_no_checkpoint_cannot_be_signed(text: str) -> None:
    with pytest.raises(ProofError, match="no checkpoint"):
        subtree_message("w", 0, text)


@pytest.mark.parametrize(
    ("signer", "text"), [("w" * 256, TEXT), ("", TEXT), ("w", "o" * 300 + TEXT)]
)
def test_names_have_a_length_that_fits_a_byte(signer: str, text: str) -> None:
    with pytest.raises(ProofError, match="255 bytes"):
        subtree_message(signer, 0, text)
