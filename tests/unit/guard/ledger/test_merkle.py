from hashlib import sha256

import pytest

from guard.errors import ProofError
from guard.ledger import merkle
from tests.unit.guard.ledger import reference

LEAVES = [bytes([n]) * n for n in range(70)]
HASHES = [merkle.leaf_hash(one) for one in LEAVES]


def node(level: int, index: int) -> bytes:
    return reference.mth(LEAVES[index << level : (index + 1) << level])


def test_the_empty_tree_hashes_as_nothing_and_others_as_the_standard_says() -> None:
    assert merkle.tree_root([]) == merkle.EMPTY_ROOT == sha256(b"").digest()
    assert merkle.tree_root(HASHES) == reference.mth(LEAVES)


@pytest.mark.parametrize("size", range(70))
def test_a_range_continues_from_its_stored_hashes(size: int) -> None:
    first = merkle.CompactRange()
    for one in HASHES[:size]:
        first.append(one)
    second = merkle.CompactRange(first.size, first.hashes)
    for one in HASHES[size:]:
        second.append(one)
    assert first.root() == reference.mth(LEAVES[:size])
    assert second.root() == reference.mth(LEAVES)
    assert second.size == len(LEAVES)


def test_the_largest_subtree_comes_first() -> None:
    tree = merkle.CompactRange()
    for one in HASHES[:7]:
        tree.append(one)
    assert tree.hashes == (node(2, 0), node(1, 2), node(0, 6))


def test_a_copy_grows_on_its_own() -> None:
    tree = merkle.CompactRange(1, HASHES[:1])
    other = tree.copy()
    other.append(HASHES[1])
    assert (tree.size, other.size) == (1, 2)
    assert tree.root() != other.root()


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (-1, []),
        (2**63, [HASHES[0]]),
        (3, HASHES[:1]),
        (0, HASHES[:1]),
        (1, []),
        (1, [b"short"]),
        (1, [HASHES[0] + b"\0"]),
    ],
)
def test_stored_hashes_that_make_no_tree_are_refused(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ProofError):
        merkle.CompactRange(size, hashes)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4), (0, 2**63)])
def test_there_is_no_inclusion_proof_of_a_leaf_outside(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, size, node)


@pytest.mark.parametrize(("old", "new"), [(-1, 4), (5, 4), (0, 2**63)])
def test_there_is_no_consistency_proof_backwards(old: int, new: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_proof(old, new, node)


def test_proofs_equal_the_recursion_of_the_standard() -> None:
    for size in range(1, 34):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, node)
            assert proof == reference.path(index, LEAVES[:size])
        for old in range(1, size + 1):
            assert merkle.consistency_proof(old, size, node) == reference.proof(old, LEAVES[:size])
        assert merkle.consistency_proof(0, size, node) == []


def test_a_proof_of_the_deepest_tree_is_bounded() -> None:
    with pytest.raises(ProofError, match="at most 63"):
        merkle.verify_inclusion(0, 2**63 - 1, HASHES[0], [HASHES[0]] * 64, HASHES[0])
    root = merkle.root_of_inclusion(0, 2**63 - 1, HASHES[0], [HASHES[0]] * 63)
    merkle.verify_inclusion(0, 2**63 - 1, HASHES[0], [HASHES[0]] * 63, root)


def test_a_consistency_proof_that_ends_early_or_late_is_refused() -> None:
    roots = reference.mth(LEAVES[:6]), reference.mth(LEAVES[:33])
    proof = merkle.consistency_proof(6, 33, node)
    merkle.verify_consistency(6, 33, proof, *roots)
    for bad in ([], proof[:-1], proof[:1], [*proof, HASHES[0]]):
        with pytest.raises(ProofError):
            merkle.verify_consistency(6, 33, bad, *roots)


def test_good_proofs_verify_and_broken_ones_do_not() -> None:
    root, leaf = reference.mth(LEAVES[:21]), HASHES[13]
    proof = merkle.inclusion_proof(13, 21, node)
    merkle.verify_inclusion(13, 21, leaf, proof, root)
    for index, size, bad in (
        (13, 21, proof[:-1]),
        (13, 21, [*proof, leaf]),
        (13, 21, [*proof[:-1], leaf]),
        (13, 21, [*proof[:-1], b"short"]),
        (12, 21, proof),
        (21, 21, proof),
        (-1, 21, proof),
        (13, 2**63, proof),
    ):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(index, size, leaf, bad, root)


def test_growth_from_nothing_and_by_nothing_has_an_empty_proof() -> None:
    root = reference.mth(LEAVES[:9])
    merkle.verify_consistency(0, 9, [], merkle.EMPTY_ROOT, root)
    merkle.verify_consistency(9, 9, [], root, root)
    merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    for old, new, proof, old_root in (
        (0, 9, [], root),
        (0, 9, [root], merkle.EMPTY_ROOT),
        (9, 9, [root], root),
        (9, 9, [], merkle.EMPTY_ROOT),
        (10, 9, [], root),
        (9, 2**63, [], root),
    ):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, proof, old_root, root)


def test_every_growth_up_to_thirty_three_verifies() -> None:
    roots = [reference.mth(LEAVES[:size]) for size in range(34)]
    for new in range(34):
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, node)
            merkle.verify_consistency(old, new, proof, roots[old], roots[new])
            for other in (-1, 1):
                if 0 < old < new and 0 < old + other < new:
                    with pytest.raises(ProofError):
                        merkle.verify_consistency(old + other, new, proof, roots[old], roots[new])


def test_another_history_does_not_grow_into_this_one() -> None:
    proof = merkle.consistency_proof(6, 33, node)
    old, new = reference.mth(LEAVES[:6]), reference.mth(LEAVES[:33])
    for roots in ((HASHES[0], new), (old, HASHES[0]), (new, old), (old[:-1], new)):
        with pytest.raises(ProofError):
            merkle.verify_consistency(6, 33, proof, *roots)
    # A power of two: its root is the first hash of the walk, and not in the proof.
    power = merkle.consistency_proof(8, 33, node)
    merkle.verify_consistency(8, 33, power, reference.mth(LEAVES[:8]), new)
    with pytest.raises(ProofError):
        merkle.verify_consistency(8, 33, power, old, new)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 13])
def test_many_leaves_at_once_make_the_tree_that_they_make_one_by_one(size: int) -> None:
    for count in range(20):
        first, second = merkle.CompactRange(), merkle.CompactRange()
        for leaf in HASHES[: size + count]:
            first.append(leaf)
        second.extend(HASHES[:size])
        second.extend(HASHES[size : size + count])
        assert (second.size, second.hashes) == (first.size, first.hashes)


def test_a_row_without_pairs_has_no_parents() -> None:
    assert merkle.parents(HASHES[:2]) == [merkle.node_hash(*HASHES[:2])]
    with pytest.raises(ValueError, match="shorter"):
        merkle.parents(HASHES[:3])
