from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.entries import Receipt
from guard.errors import ProofError
from guard.ledger.entry import Sealer
from guard.ledger.receipts import ReceiptSigner, match_receipt, verify_receipt
from tests.unit.guard.ledger.makers import WRITER, LogMaker, make_entry

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = ReceiptSigner(WRITER, KEY)
OTHER = ReceiptSigner(WRITER, Ed25519PrivateKey.from_private_bytes(bytes(32)))


def make(log: LogMaker) -> tuple[Receipt, bytes]:
    sealed = Sealer(log.vault, WRITER).seal(make_entry(), writer_seq=9, subjects={}, next_n={})
    return SIGNER.sign(sealed, 41), sealed.leaf


def test_a_receipt_holds_with_its_writers_key(log: LogMaker) -> None:
    receipt, leaf = make(log)
    assert (receipt.index, receipt.writer_seq) == (41, 9)
    assert receipt.writer == WRITER.hex()
    verify_receipt(receipt, SIGNER.public_key)
    match_receipt(receipt, leaf, 41)
    match_receipt(replace(receipt, index=None), leaf, 3)


def test_another_key_or_a_changed_receipt_is_refused(log: LogMaker) -> None:
    receipt, _ = make(log)
    with pytest.raises(ProofError, match="was not signed"):
        verify_receipt(receipt, OTHER.public_key)
    for changed in (
        replace(receipt, leaf_hash="00" * 32),
        replace(receipt, leaf_hash=receipt.leaf_hash[:-2]),
        replace(receipt, leaf_hash=""),
        replace(receipt, leaf_hash="zz" * 32),
        replace(receipt, leaf_hash="é" * 32),
        replace(receipt, signature=""),
        replace(receipt, signature="AAAA"),
        replace(receipt, signature="~"),
        replace(receipt, signature=receipt.signature[:-4]),
    ):
        with pytest.raises(ProofError):
            verify_receipt(changed, SIGNER.public_key)


@pytest.mark.parametrize("key", ["", "AAAA", "~", "é"])
def test_a_malformed_key_is_refused(log: LogMaker, key: str) -> None:
    with pytest.raises(ProofError):
        verify_receipt(make(log)[0], key)


def test_another_entry_in_its_place_is_found(log: LogMaker) -> None:
    receipt, leaf = make(log)
    _, other = make(log)
    with pytest.raises(ProofError) as caught:
        match_receipt(receipt, other, 41)
    assert caught.value.index == 41
    for changed in (
        replace(receipt, entry_id="00" * 16),
        replace(receipt, writer="00" * 8),
        replace(receipt, writer_seq=8),
        replace(receipt, index=40),
        replace(receipt, leaf_hash="00" * 32),
    ):
        with pytest.raises(ProofError):
            match_receipt(changed, leaf, 41)


def test_a_fresh_signer_has_a_key_of_its_own() -> None:
    one, other = ReceiptSigner.fresh(bytes(8)), ReceiptSigner.fresh(bytes(8))
    assert one.public_key != other.public_key
