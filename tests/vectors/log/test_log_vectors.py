"""Proofs of a log of our own, good and broken, before both verifiers."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from guard.errors import ProofError
from guard.evidence import standalone
from guard.ledger.checkpoint import log_key, open_checkpoint
from guard.ledger.merkle import verify_consistency, verify_inclusion
from guard.ledger.proofs import verify_tlog_proof
from guard.ledger.trust import parse_policy
from tests.vectors.log import generate

HERE = Path(__file__).parent
DOCUMENT = json.loads((HERE / "proofs.json").read_text())
CASES: list[dict[str, Any]] = DOCUMENT["cases"]
MERKLE = json.loads((HERE.parent / "merkle" / "proofs.json").read_text())
NOTES = json.loads((HERE.parent / "checkpoint" / "checkpoints.json").read_text())
KEY = log_key(DOCUMENT["vkey"])
KEYS = [standalone.read_vkey(DOCUMENT["vkey"])]
unhex = bytes.fromhex


def ours(case: dict[str, Any]) -> None:
    proof = [unhex(one) for one in case.get("proof", ())]
    match case["kind"]:
        case "inclusion":
            index, size = case["index"], case["size"]
            verify_inclusion(index, size, unhex(case["leaf"]), proof, unhex(case["root"]))
        case "consistency":
            roots = unhex(case["old_root"]), unhex(case["root"])
            verify_consistency(case["old"], case["new"], proof, *roots)
        case "proof":
            opened = partial(open_checkpoint, key=KEY)
            verify_tlog_proof(case["text"].encode(), unhex(case["leaf"]), opened)
        case _:
            parse_policy(case["policy"].encode()).open_checkpoint(case["note"].encode())


def alone(case: dict[str, Any]) -> None:
    proof = [unhex(one) for one in case.get("proof", ())]
    match case["kind"]:
        case "inclusion":
            index, size = case["index"], case["size"]
            standalone.check_inclusion(index, size, unhex(case["leaf"]), proof, unhex(case["root"]))
        case "proof":
            standalone.check_proof(case["text"].encode(), unhex(case["leaf"]), KEYS)
        case _:
            policy = standalone.read_policy(case["policy"])
            standalone.read_checkpoint(case["note"].encode(), [], policy)


def accepts(judge: Callable[[dict[str, Any]], None], case: dict[str, Any]) -> bool:
    try:
        judge(case)
    except (ProofError, standalone.RefusedError):
        return False
    return True


def test_the_committed_proofs_are_what_the_generator_writes() -> None:
    assert (HERE / "proofs.json").read_text() == generate.document()


def test_there_are_more_than_200_and_most_are_broken() -> None:
    good = sum(case["good"] for case in CASES)
    assert len(CASES) >= 200
    assert len(CASES) - good > 5 * good
    assert set(Counter(case["kind"] for case in CASES)) == {
        "inclusion",
        "consistency",
        "proof",
        "cosigned",
    }


@pytest.mark.parametrize("kind", ["inclusion", "consistency", "proof", "cosigned"])
def test_every_proof_is_judged_right(kind: str) -> None:
    wrong = [
        case["what"]
        for case in CASES
        if case["kind"] == kind and accepts(ours, case) is not case["good"]
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", ["inclusion", "proof", "cosigned"])
def test_the_verifier_of_a_bundle_judges_the_same(kind: str) -> None:
    wrong = [
        case["what"]
        for case in CASES
        if case["kind"] == kind and accepts(alone, case) is not case["good"]
    ]
    assert wrong == []


def test_the_verifier_of_a_bundle_judges_the_other_inclusion_proofs() -> None:
    for name in ("inclusion_good", "inclusion_bad"):
        for case in MERKLE[name]:
            is_good = name == "inclusion_good"
            assert accepts(alone, case | {"kind": "inclusion"}) is is_good, case


def test_the_verifier_of_a_bundle_judges_the_other_checkpoints() -> None:
    keys = [standalone.read_vkey(NOTES["vkey"])]

    def read(case: dict[str, Any]) -> None:
        origin, size, root = standalone.read_checkpoint(case["note"].encode(), keys)
        assert (origin, size, root.hex()) == (NOTES["origin"], NOTES["size"], NOTES["root"])

    for name in ("good", "bad"):
        for case in NOTES[name]:
            assert accepts(read, case) is (name == "good"), case
