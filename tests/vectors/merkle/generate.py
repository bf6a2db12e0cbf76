"""Write the proof vectors of this folder from the slow reference implementation.

`python -m tests.vectors.merkle.generate` rewrites `proofs.json`; a test compares it with what is
committed. `published.json` is not generated: its roots were published by somebody else.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.unit.guard.ledger import reference

HERE = Path(__file__).parent
SIZES = (1, 2, 3, 5, 6, 8)
Case = dict[str, object]


def leaves() -> list[bytes]:
    """The eight published leaves."""
    published = json.loads((HERE / "published.json").read_text())
    return [bytes.fromhex(one) for one in published["leaves_hex"]]


def _flip(one: bytes, byte: int = 0) -> bytes:
    return one[:byte] + bytes([one[byte] ^ 1]) + one[byte + 1 :]


def broken_lists(proof: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Every way in which we know how to break a list of hashes."""
    for at, one in enumerate(proof):
        for byte in (0, 31):
            yield (
                f"flip byte {byte} of hash {at}",
                [*proof[:at], _flip(one, byte), *proof[at + 1 :]],
            )
        yield f"drop hash {at}", proof[:at] + proof[at + 1 :]
        yield f"repeat hash {at}", [*proof[: at + 1], *proof[at:]]
        yield f"cut hash {at} short", [*proof[:at], one[:-1], *proof[at + 1 :]]
        yield f"pad hash {at}", [*proof[:at], one + b"\0", *proof[at + 1 :]]
        yield f"empty hash {at}", [*proof[:at], b"", *proof[at + 1 :]]
    for at in range(len(proof) - 1):
        if proof[at] != proof[at + 1]:
            swapped = [*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]]
            yield f"swap hashes {at} and {at + 1}", swapped
    yield "add a zero hash at the end", [*proof, bytes(32)]
    yield "add a zero hash in front", [bytes(32), *proof]


def _inclusion(
    what: str, place: tuple[int, int], leaf: bytes, proof: list[bytes], root: bytes
) -> Case:
    index, size = place
    return {
        "what": what,
        "index": index,
        "size": size,
        "leaf": leaf.hex(),
        "proof": [one.hex() for one in proof],
        "root": root.hex(),
    }


def inclusion() -> tuple[list[Case], list[Case]]:
    """Good and bad inclusion proofs."""
    good, bad = [], []
    for size in SIZES:
        tree = leaves()[:size]
        root = reference.mth(tree)
        for index in range(size):
            leaf, proof, place = (
                reference.mth([tree[index]]),
                reference.path(index, tree),
                (index, size),
            )
            good.append(_inclusion("as published", place, leaf, proof, root))
            bad += [_inclusion(what, place, leaf, x, root) for what, x in broken_lists(proof)]
            bad.append(_inclusion("flip the leaf", place, _flip(leaf), proof, root))
            bad.append(_inclusion("cut the leaf", place, leaf[:-1], proof, root))
            bad.append(_inclusion("flip the root", place, leaf, proof, _flip(root)))
            bad.append(_inclusion("cut the root", place, leaf, proof, root[:-1]))
            bad.append(_inclusion("root of nothing", place, leaf, proof, reference.mth([])))
            for other in (index - 1, index + 1, size, -1, 2**63):
                bad.append(_inclusion("another index", (other, size), leaf, proof, root))
            bad.append(_inclusion("size 0", (index, 0), leaf, proof, root))
            bad.append(_inclusion("size beyond 2**63", (index, 2**63), leaf, proof, root))
    return good, bad


def _growth(
    what: str, sizes: tuple[int, int], proof: list[bytes], roots: tuple[bytes, bytes]
) -> Case:
    return {
        "what": what,
        "old": sizes[0],
        "new": sizes[1],
        "proof": [one.hex() for one in proof],
        "old_root": roots[0].hex(),
        "new_root": roots[1].hex(),
    }


def consistency() -> tuple[list[Case], list[Case]]:
    """Good and bad consistency proofs."""
    good, bad = [], []
    for new in (0, *SIZES):
        tree = leaves()[:new]
        for old in range(new + 1):
            roots, sizes = (reference.mth(tree[:old]), reference.mth(tree)), (old, new)
            proof = reference.proof(old, tree) if old else []
            good.append(_growth("as published", sizes, proof, roots))
            bad += [_growth(what, sizes, x, roots) for what, x in broken_lists(proof)]
            bad.append(_growth("flip the old root", sizes, proof, (_flip(roots[0]), roots[1])))
            if old:
                bad.append(_growth("flip the new root", sizes, proof, (roots[0], _flip(roots[1]))))
            if old not in {0, new}:
                bad.append(_growth("swap the roots", sizes, proof, (roots[1], roots[0])))
                bad.append(_growth("swap the sizes", (new, old), proof, roots))
                bad.append(_growth("no proof", sizes, [], roots))
            bad.append(_growth("cut the old root", sizes, proof, (roots[0][:-1], roots[1])))
            bad.append(_growth("cut the new root", sizes, proof, (roots[0], roots[1][:-1])))
            bad.append(_growth("old size below 0", (-1, new), proof, roots))
            bad.append(_growth("new size beyond 2**63", (old, 2**63), proof, roots))
    return good, bad


def document() -> str:
    """All cases as the text of `proofs.json`, one case a line."""
    good_in, bad_in = inclusion()
    good_co, bad_co = consistency()
    groups = {
        "inclusion_good": good_in,
        "inclusion_bad": bad_in,
        "consistency_good": good_co,
        "consistency_bad": bad_co,
    }
    parts = []
    for name, cases in groups.items():
        lines = ",\n".join("  " + json.dumps(case) for case in cases)
        parts.append(f' "{name}": [\n{lines}\n ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    (HERE / "proofs.json").write_text(document())
