import pytest

from guard.errors import ProofError
from guard.ledger.merkle import EMPTY_ROOT
from guard.ledger.ranges import RangeProof, RangeTree, range_proof
from tests.unit.guard.ledger import reference

LEAVES = [b"leaf %d" % n for n in range(13)]
HASHES = [reference.mth([leaf]) for leaf in LEAVES]


def prove(start: int, end: int, size: int) -> RangeProof:
    def node(level: int, index: int) -> bytes:
        return reference.mth(LEAVES[index << level : (index + 1) << level])

    return range_proof(start, end, size, node)


def check(start: int, end: int, size: int, proof: RangeProof, leaves: list[bytes]) -> None:
    tree = RangeTree(start, end, size, proof)
    for leaf in leaves:
        tree.append(leaf)
    tree.check(reference.mth(LEAVES[:size]))


def test_every_range_of_every_small_tree_is_proven() -> None:
    for size in range(14):
        for start in range(size + 1):
            for end in range(start, size + 1):
                check(start, end, size, prove(start, end, size), HASHES[start:end])


def test_the_empty_range_of_the_empty_tree_has_the_empty_root() -> None:
    RangeTree(0, 0, 0, RangeProof((), ())).check(EMPTY_ROOT)


@pytest.mark.parametrize(
    ("leaves", "words"),
    [
        ([*HASHES[4:9], HASHES[0]], "more leaves"),
        (HASHES[4:8], "entry 8 of the range is missing"),
        ([*HASHES[4:8], HASHES[0]], "not those of the signed tree"),
        ([HASHES[5], HASHES[4], *HASHES[6:9]], "not those of the signed tree"),
    ],
)
def test_leaves_that_are_missing_added_changed_or_moved_are_refused(
    leaves: list[bytes], words: str
) -> None:
    with pytest.raises(ProofError, match=words):
        check(4, 9, 13, prove(4, 9, 13), leaves)


def test_a_proof_of_another_range_is_refused() -> None:
    proof = prove(4, 9, 13)
    for changed in (
        RangeProof(proof.left[:-1], proof.right),
        RangeProof(proof.left, (*proof.right, bytes(32))),
        RangeProof((proof.left[0][:-1],), proof.right),
        RangeProof((bytes(32),), proof.right),
    ):
        with pytest.raises(ProofError):
            check(4, 9, 13, changed, HASHES[4:9])


@pytest.mark.parametrize("place", [(-1, 3, 5), (3, 2, 5), (2, 6, 5), (0, 1, 2**63)])
def test_a_range_outside_of_the_tree_has_no_proof(place: tuple[int, int, int]) -> None:
    with pytest.raises(ProofError, match="no range"):
        prove(*place)
