"""Notes of another implementation, and generated ones, good and bad."""

import json
from pathlib import Path

import pytest

from guard.errors import ProofError
from guard.ledger.checkpoint import log_key, open_checkpoint
from guard.ledger.note import open_note, parse_note, parse_vkey, signed_by
from tests.vectors.checkpoint import generate

HERE = Path(__file__).parent
CASES = json.loads((HERE / "checkpoints.json").read_text())
PUBLISHED = json.loads((HERE / "published_note.json").read_text())


def test_a_note_signed_by_another_implementation_opens() -> None:
    note = (PUBLISHED["text"] + "\n" + PUBLISHED["signature"]).encode()
    key = parse_vkey(PUBLISHED["vkey"])
    assert open_note(note, [key]) == PUBLISHED["text"]
    assert key.encode() == PUBLISHED["vkey"]


def test_the_committed_checkpoints_are_what_the_generator_writes() -> None:
    assert (HERE / "checkpoints.json").read_text() == generate.document()


def test_good_checkpoints_open() -> None:
    key = log_key(CASES["vkey"])
    for case in CASES["good"]:
        checkpoint = open_checkpoint(case["note"].encode(), key)
        assert checkpoint.origin == CASES["origin"], case
        assert checkpoint.size == CASES["size"], case
        assert checkpoint.root.hex() == CASES["root"], case


def test_the_cosignature_is_known_to_be_the_witnesss() -> None:
    witness = parse_vkey(CASES["witness_vkey"])
    note = next(case["note"] for case in CASES["good"] if case["what"] == "a cosignature")
    assert signed_by(parse_note(note.encode()), [witness]) == [witness]


def test_bad_checkpoints_outnumber_good_ones_and_are_refused() -> None:
    key = log_key(CASES["vkey"])
    assert len(CASES["bad"]) > 5 * len(CASES["good"])
    for case in CASES["bad"]:
        try:
            open_checkpoint(case["note"].encode(), key)
        except ProofError:
            continue
        pytest.fail(f"accepted: {case}")
