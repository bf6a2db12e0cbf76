"""Properties of the log: proofs against a naive reference, and leaves that round-trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import ProofError
from guard.ledger import merkle
from tests.unit.guard.ledger import reference

trees = st.lists(st.binary(max_size=8), min_size=1, max_size=90)


@given(trees)
def test_the_root_equals_the_naive_root(leaves: list[bytes]) -> None:
    assert merkle.tree_root(map(merkle.leaf_hash, leaves)) == reference.mth(leaves)


@given(trees, st.data())
def test_every_inclusion_proof_verifies_and_only_there(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))

    def node(level: int, at: int) -> bytes:
        return reference.mth(leaves[at << level : (at + 1) << level])

    proof = merkle.inclusion_proof(index, size, node)
    leaf, root = merkle.leaf_hash(leaves[index]), reference.mth(leaves)
    merkle.verify_inclusion(index, size, leaf, proof, root)
    assert proof == reference.path(index, leaves)
    other = data.draw(st.integers(0, size))
    if other == size or leaves[other] != leaves[index]:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(other, size, leaf, proof, root)


@given(trees, st.data())
def test_every_consistency_proof_verifies_and_no_other_history(
    leaves: list[bytes], data: st.DataObject
) -> None:
    new = len(leaves)
    old = data.draw(st.integers(0, new))

    def node(level: int, at: int) -> bytes:
        return reference.mth(leaves[at << level : (at + 1) << level])

    proof = merkle.consistency_proof(old, new, node)
    old_root, new_root = reference.mth(leaves[:old]), reference.mth(leaves)
    merkle.verify_consistency(old, new, proof, old_root, new_root)
    if old:
        at = data.draw(st.integers(0, old - 1))
        forged = [*leaves[:at], leaves[at] + b"!", *leaves[at + 1 : old]]
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, proof, reference.mth(forged), new_root)


@given(
    st.integers(-2, 2**64),
    st.integers(-2, 2**64),
    st.lists(st.binary(max_size=33), max_size=66),
    st.binary(max_size=33),
    st.binary(max_size=33),
)
def test_garbage_is_refused_and_never_crashes(
    a: int, b: int, proof: list[bytes], one: bytes, other: bytes
) -> None:
    with pytest.raises(ProofError):
        merkle.verify_inclusion(a, b, one, proof, other)
    if not (a == b and one == other) and one != merkle.EMPTY_ROOT:
        with pytest.raises(ProofError):
            merkle.verify_consistency(a, b, proof, one, other)
