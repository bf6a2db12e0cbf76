"""Write the vectors of this folder: proofs of a log of our own, good and broken in named ways.

`python -m tests.vectors.log.generate` rewrites `proofs.json`; a test compares it with what is
committed. Trees come from the slow reference, notes from the generator of checkpoints.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from guard.entries import EntryKind
from guard.ledger.entry import Leaf, encode_leaf
from tests.unit.guard.ledger import reference
from tests.vectors.checkpoint.generate import (
    LOG,
    ORIGIN,
    STRANGER,
    WITNESS,
    b64,
    cosignature,
    key_id,
    line,
    vkey,
)
from tests.vectors.merkle.generate import broken_lists

HERE = Path(__file__).parent
SIZE = 75
PLACES = (0, 1, 37, 63, 64, 74)
OLD = (1, 2, 32, 63, 64, 74)
TIME = 1_764_000_000
Case = dict[str, object]


def leaves() -> list[bytes]:
    """Leaves of one writer, the same on every run."""
    return [
        encode_leaf(
            Leaf(
                entry_id=sha256(b"id %d" % n).digest()[:16],
                at=TIME * 10**6 + n,
                kind=EntryKind.VIEW if n else EntryKind.WRITER_OPEN,
                writer=b"writer-1",
                writer_seq=n,
                tag=sha256(b"tag %d" % n).digest()[:16],
                commitment=sha256(b"parts %d" % n).digest(),
            )
        )
        for n in range(SIZE)
    ]


def checkpoint(root: bytes, size: int = SIZE) -> str:
    """The text of a checkpoint."""
    return f"{ORIGIN}\n{size}\n{b64(root)}\n"


def inclusion(tree: list[bytes]) -> Iterator[Case]:
    """Paths of leaves."""
    root = reference.mth(tree)
    for index in PLACES:
        path, leaf = reference.path(index, tree), reference.mth([tree[index]])

        def case(
            what: str,
            proof: list[bytes],
            *,
            good: bool = False,
            place: int = index,
            leaf: bytes = leaf,
        ) -> Case:
            hexes = [one.hex() for one in proof]
            return {
                "kind": "inclusion",
                "what": what,
                "good": good,
                "index": place,
                "size": SIZE,
                "leaf": leaf.hex(),
                "proof": hexes,
                "root": root.hex(),
            }

        yield case("as it is", path, good=True)
        yield case("of another leaf", path, leaf=reference.mth([tree[index - 1]]))
        yield case("at the place beside it", path, place=index ^ 1)
        for what, broken in list(broken_lists(path))[::5]:
            yield case(what, broken)


def consistency(tree: list[bytes]) -> Iterator[Case]:
    """Growth from earlier sizes."""
    root = reference.mth(tree)
    for old in OLD:
        path, before = reference.proof(old, tree), reference.mth(tree[:old])

        def case(
            what: str,
            proof: list[bytes],
            before: bytes = before,
            *,
            good: bool = False,
            old: int = old,
        ) -> Case:
            return {
                "kind": "consistency",
                "what": what,
                "good": good,
                "old": old,
                "new": SIZE,
                "proof": [one.hex() for one in proof],
                "old_root": before.hex(),
                "root": root.hex(),
            }

        yield case("as it is", path, good=True)
        yield case("from another root", path, sha256(b"another").digest())
        yield case("from another size", path, old=old + 1)
        for what, broken in list(broken_lists(path))[::5]:
            yield case(what, broken)


def proofs(tree: list[bytes]) -> Iterator[Case]:
    """`.tlog-proof` texts."""
    text = checkpoint(reference.mth(tree))
    note = text + "\n" + line(text)
    for index in PLACES[:3]:
        path = [b64(one) for one in reference.path(index, tree)]
        begin, leaf = "c2sp.org/tlog-proof@v1\n", tree[index]
        rest = f"index {index}\n" + "\n".join(path) + "\n\n"
        whole = begin + rest + note

        def case(what: str, proof: str, leaf: bytes = leaf, *, good: bool = False) -> Case:
            return {"kind": "proof", "what": what, "good": good, "text": proof, "leaf": leaf.hex()}

        yield case("as it is", whole, good=True)
        yield case("with extra data", begin + "extra AAAA\n" + rest + note, good=True)
        yield case("of another leaf", whole, tree[index + 1])
        yield case("of a leaf with a byte more", whole, leaf + b"\0")
        yield case("another header", whole.replace("@v1", "@v2"))
        yield case("no index", whole.replace(f"index {index}\n", ""))
        yield case("index with a zero in front", whole.replace("index ", "index 0"))
        yield case("another index", whole.replace(f"index {index}\n", f"index {index + 1}\n"))
        yield case("a hash left out", whole.replace(path[0] + "\n", "", 1))
        yield case("a hash twice", whole.replace(path[0], path[0] + "\n" + path[0], 1))
        yield case("no checkpoint", begin + rest)
        yield case(
            "extra data after the index",
            whole.replace(f"\n{path[0]}", f"\nextra AAAA\n{path[0]}", 1),
        )
        yield case(
            "a checkpoint of a stranger", begin + rest + text + "\n" + line(text, key=STRANGER)
        )
        smaller = checkpoint(reference.mth(tree[:-1]), SIZE - 1)
        yield case("an older checkpoint", begin + rest + smaller + "\n" + line(smaller))
        yield case("another size, unsigned", whole.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n"))


def policy(quorum: str = "both") -> str:
    """The log, a witness, and a second one that seldom answers."""
    second = vkey("w.example/2", 4, STRANGER)
    return (
        f"log {vkey(ORIGIN, 1, LOG)}\nwitness one {vkey('w.example/1', 4, WITNESS)}\n"
        f"witness two {second}\ngroup any any one two\nquorum {quorum}\n"
    )


def cosigned(tree: list[bytes]) -> Iterator[Case]:
    """Checkpoints under a policy that wants a witness."""
    text = checkpoint(reference.mth(tree))
    own, witness = line(text), cosignature(text, "w.example/1", TIME)

    def case(
        what: str, lines: str, quorum: str = "any", text: str = text, *, good: bool = False
    ) -> Case:
        note = text + "\n" + lines
        return {
            "kind": "cosigned",
            "what": what,
            "good": good,
            "note": note,
            "policy": policy(quorum),
        }

    yield case("log and witness", own + witness, good=True)
    yield case("witness first", witness + own, good=True)
    yield case("no quorum is wanted", own, "none", good=True)
    yield case("this witness is wanted", own + witness, "one", good=True)
    yield case("a stranger's line besides", own + witness + line(text, "else", STRANGER), good=True)
    yield case("no witness", own)
    yield case("no log", witness)
    yield case("the other witness is wanted", own + witness, "two")
    yield case("the witness under another name", own + cosignature(text, "w.example/3", TIME))
    stamped = cosignature(text, "w.example/1", TIME)
    signature = stamped.rsplit(" ", 1)[1]
    later = b64(key_id("w.example/1", 4, WITNESS) + (TIME + 1).to_bytes(8, "big"))
    yield case("another time", own + stamped.replace(signature[:16], later[:16]))
    yield case("a plain signature of the witness", own + line(text, "w.example/1", WITNESS))
    grown = text.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n")
    yield case("the text grown afterwards", own + witness, text=grown)
    yield case("the log signs anew, the witness does not", line(grown) + witness, text=grown)
    for at in range(0, len(text) - 1, 6):
        changed = text[:at] + ("#" if text[at] != "#" else "*") + text[at + 1 :]
        yield case(f"text changed at {at}", own + witness, text=changed)


def document() -> str:
    """All cases, one a line."""
    tree = leaves()
    cases = [*inclusion(tree), *consistency(tree), *proofs(tree), *cosigned(tree)]
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    return f'{{\n "vkey": {json.dumps(vkey(ORIGIN, 1, LOG))},\n "cases": [\n{lines}\n ]\n}}\n'


if __name__ == "__main__":
    (HERE / "proofs.json").write_text(document())
