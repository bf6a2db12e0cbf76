from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.ledger.note import NoteSigner, write_note
from guard.ledger.receipts import ReceiptSigner
from guard.ledger.writer_keys import WriterKey, certified, certify, publish_writer

SIGNER = NoteSigner("example.com/log/exports", Ed25519PrivateKey.from_private_bytes(bytes(32)))
KEY = WriterKey("example.com/log", "00" * 8, ReceiptSigner.fresh(bytes(8)).public_key)


def test_a_writers_key_is_known_by_its_note_alone(tmp_path: Path) -> None:
    publish_writer(tmp_path, SIGNER, KEY)
    note = (tmp_path / "writers" / KEY.writer).read_bytes()
    assert certified(note, SIGNER.verifier) == KEY


def test_another_key_certifies_nothing() -> None:
    other = NoteSigner(SIGNER.verifier.name, Ed25519PrivateKey.generate())
    with pytest.raises(ProofError, match="no known key"):
        certified(certify(other, KEY), SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "example.com/log\n3\nAAAA\n",
        "recordguard-writer/v1\nexample.com/log\n0000000000000000\n",
        "recordguard-writer/v1\na\nb\nc\nd\n",
        "recordguard-writer/v2\na\nb\nc\n",
    ],
)
def test_no_other_note_of_the_same_signer_is_taken_for_one(text: str) -> None:
    with pytest.raises(ProofError, match="certifies no writer"):
        certified(write_note(text, [SIGNER.sign(text)]), SIGNER.verifier)
