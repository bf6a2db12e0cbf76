"""Properties of the log: proofs against a naive reference, and leaves that round-trip."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.entries import EntryKind
from guard.errors import ProofError
from guard.ledger import merkle
from guard.ledger.entry import LEAF_SIZE, Leaf, decode_leaf, encode_leaf
from guard.ledger.note import parse_note
from guard.ledger.proofs import parse_tlog_proof
from guard.ledger.tiles import TileEdge, pack_bundle, unpack_bundle
from guard.vault.envelope import place
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


leaves = st.builds(
    Leaf,
    entry_id=st.binary(min_size=16, max_size=16),
    at=st.integers(0, 2**64 - 1),
    kind=st.sampled_from(EntryKind),
    writer=st.binary(min_size=8, max_size=8),
    writer_seq=st.integers(0, 2**64 - 1),
    tag=st.binary(min_size=16, max_size=16),
    commitment=st.binary(min_size=32, max_size=32),
)


@given(leaves)
def test_every_leaf_round_trips(leaf: Leaf) -> None:
    encoded = encode_leaf(leaf)
    assert len(encoded) == LEAF_SIZE
    assert decode_leaf(encoded) == leaf


@given(st.binary(max_size=120))
def test_bytes_decode_to_one_leaf_or_are_refused(encoded: bytes) -> None:
    try:
        leaf = decode_leaf(encoded)
    except ProofError:
        return
    assert encode_leaf(leaf) == encoded


@given(st.lists(st.binary(max_size=300), max_size=600))
def test_the_edge_of_any_tree_has_its_root(entries: list[bytes]) -> None:
    edge = TileEdge()
    for one in entries:
        edge.append(one)
    assert edge.root() == reference.mth(entries)


@given(st.lists(st.binary(max_size=300), max_size=50), st.binary(max_size=4))
def test_bundles_round_trip(entries: list[bytes], rest: bytes) -> None:
    packed = pack_bundle(entries)
    assert list(unpack_bundle(packed)) == entries
    with suppress(ProofError):
        assert pack_bundle(unpack_bundle(packed + rest)) == packed + rest


@given(st.binary(max_size=400))
def test_no_garbage_is_a_note_or_proof_or_crashes(garbage: bytes) -> None:
    for read in (parse_note, parse_tlog_proof):
        with pytest.raises(ProofError):
            read(garbage)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_two_places_share_their_additional_data(one: str, other: str) -> None:
    left = [x.encode("utf-8", "replace").decode() for x in (one, other)]
    assert place(*left) != place("".join(left))
    assert (place(*left) == place(*reversed(left))) == (left[0] == left[1])
