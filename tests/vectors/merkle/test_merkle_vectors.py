"""The published roots and the generated proofs, good and broken, against `guard.ledger.merkle`."""

import json
from pathlib import Path

import pytest

from guard.errors import ProofError
from guard.ledger import merkle
from tests.vectors.merkle import generate

HERE = Path(__file__).parent
PUBLISHED = json.loads((HERE / "published.json").read_text())
PROOFS = json.loads((HERE / "proofs.json").read_text())


def test_every_published_root_is_reproduced() -> None:
    tree = merkle.CompactRange()
    roots = [tree.root().hex()]
    for leaf in PUBLISHED["leaves_hex"]:
        tree.append(merkle.leaf_hash(bytes.fromhex(leaf)))
        roots.append(tree.root().hex())
    assert roots == PUBLISHED["roots_hex_size0_to_8"]


def test_the_committed_proofs_are_what_the_generator_writes() -> None:
    assert (HERE / "proofs.json").read_text() == generate.document()


def test_broken_proofs_outnumber_good_ones() -> None:
    assert len(PROOFS["inclusion_bad"]) > 10 * len(PROOFS["inclusion_good"])
    assert len(PROOFS["consistency_bad"]) > 10 * len(PROOFS["consistency_good"])


def _inclusion(case: dict[str, object]) -> None:
    hexes = case["proof"]
    assert isinstance(hexes, list)
    merkle.verify_inclusion(
        int(str(case["index"])),
        int(str(case["size"])),
        bytes.fromhex(str(case["leaf"])),
        [bytes.fromhex(one) for one in hexes],
        bytes.fromhex(str(case["root"])),
    )


def _consistency(case: dict[str, object]) -> None:
    hexes = case["proof"]
    assert isinstance(hexes, list)
    merkle.verify_consistency(
        int(str(case["old"])),
        int(str(case["new"])),
        [bytes.fromhex(one) for one in hexes],
        bytes.fromhex(str(case["old_root"])),
        bytes.fromhex(str(case["new_root"])),
    )


def test_good_proofs_hold() -> None:
    for case in PROOFS["inclusion_good"]:
        _inclusion(case)
    for case in PROOFS["consistency_good"]:
        _consistency(case)


def test_every_broken_inclusion_proof_is_refused() -> None:
    for case in PROOFS["inclusion_bad"]:
        try:
            _inclusion(case)
        except ProofError:
            continue
        pytest.fail(f"accepted: {case}")


def test_every_broken_consistency_proof_is_refused() -> None:
    for case in PROOFS["consistency_bad"]:
        try:
            _consistency(case)
        except ProofError:
            continue
        pytest.fail(f"accepted: {case}")
