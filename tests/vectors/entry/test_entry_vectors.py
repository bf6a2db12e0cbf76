"""Leaves and commitments put together by hand, and sealed values that must open for ever."""

import json
from pathlib import Path

import pytest

from guard.entries import EntryKind
from guard.errors import ProofError
from guard.ledger import entry, merkle
from guard.vault.envelope import SealKey, place
from tests.vectors.entry import generate

HERE = Path(__file__).parent
CASES = json.loads((HERE / "entries.json").read_text())


def test_the_committed_entries_are_what_the_generator_writes() -> None:
    assert (HERE / "entries.json").read_text() == generate.document()


def test_good_leaves_decode_and_hash_as_written() -> None:
    for case in CASES["good"]:
        encoded = bytes.fromhex(case["leaf"])
        leaf = entry.decode_leaf(encoded)
        assert leaf.kind is EntryKind.VIEW
        assert leaf.entry_id == generate.ENTRY_ID
        assert leaf.at == generate.AT
        assert leaf.writer_seq == case["writer_seq"]
        assert leaf.commitment.hex() == case["commitment"]
        assert entry.encode_leaf(leaf) == encoded
        assert merkle.leaf_hash(encoded).hex() == case["leaf_hash"]


def test_commitments_are_computed_as_written() -> None:
    for case in CASES["good"]:
        plains = [
            bytes.fromhex(nonce) + part.encode()
            for nonce, part in zip(case["nonces"], case["parts"], strict=True)
        ]
        hashes = [entry.inner_hash(plain) for plain in plains]
        assert [one.hex() for one in hashes] == case["inner"]
        assert merkle.tree_root(hashes).hex() == case["commitment"]
        assert entry.commit(hashes).hex() == case["commitment"]


def test_the_kinds_of_the_format_are_those_of_the_code() -> None:
    assert tuple(EntryKind) == generate.KINDS


def test_bad_leaves_outnumber_good_ones_and_are_refused() -> None:
    assert len(CASES["bad"]) > 5 * len(CASES["good"])
    for case in CASES["bad"]:
        try:
            entry.decode_leaf(bytes.fromhex(case["leaf"]))
        except ProofError:
            continue
        pytest.fail(f"accepted: {case}")


def test_sealed_values_of_every_version_open_for_ever() -> None:
    for case in json.loads((HERE / "seals.json").read_text()):
        key = SealKey(bytes.fromhex(case["key"]))
        names = [bytes.fromhex(one) for one in case["place"]]
        opened = key.open(bytes.fromhex(case["sealed"]), place(*names))
        assert opened == case["plain"].encode()
