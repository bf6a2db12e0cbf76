import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.clock import SECOND
from guard.errors import ConfigurationError, DurabilityError
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.note import NoteSigner, encode_base64, open_note, write_note
from guard.ledger.witness import MAX_REQUEST, SIZE_TYPE, Answer, Witness, begin_memory
from tests.support.witnesses import make_signer
from tests.unit.guard.ledger import reference

LOG = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SIGNER = NoteSigner("w.example/1", Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))
LEAVES = [b"%d" % n for n in range(40)]
FORGED = [*LEAVES[:3], b"forged", *LEAVES[4:]]
NOW = 1_764_000_000 * SECOND


def make(tmp_path: Path) -> Witness:
    state = tmp_path / "witness" / "state.json"
    with suppress(FileExistsError):
        begin_memory(state)
    return Witness(SIGNER, {"example.com/log": LOG.verifier}, state)


def note(size: int, leaves: list[bytes] = LEAVES) -> bytes:
    return sign_checkpoint(Checkpoint("example.com/log", size, reference.mth(leaves[:size])), LOG)


def request(old: int, size: int, leaves: list[bytes] = LEAVES) -> bytes:
    proof = reference.proof(old, leaves[:size]) if 0 < old <= size else []
    return body(old, proof, note(size, leaves))


def body(old: object, proof: list[bytes], checkpoint: bytes) -> bytes:
    lines = [f"old {old}", *(encode_base64(one) for one in proof)]
    return ("\n".join(lines) + "\n\n").encode() + checkpoint


def accepted(answer: Answer, checkpoint: bytes) -> None:
    assert answer.status == 200, answer
    assert open_note(checkpoint + answer.body, [SIGNER.cosigner])


def test_a_log_that_grows_is_cosigned(tmp_path: Path) -> None:
    witness, old = make(tmp_path), 0
    for size in (0, 1, 2, 3, 3, 8, 33, 40):
        accepted(witness.add_checkpoint(request(old, size), NOW), note(size))
        assert witness.size_of("example.com/log") == size
        old = size


def test_a_restart_remembers(tmp_path: Path) -> None:
    accepted(make(tmp_path).add_checkpoint(request(0, 8), NOW), note(8))
    answer = make(tmp_path).add_checkpoint(request(0, 9), NOW)
    assert (answer.status, answer.content_type, answer.body) == (409, SIZE_TYPE, b"8\n")
    accepted(make(tmp_path).add_checkpoint(request(8, 9), NOW), note(9))


def test_the_time_is_in_the_cosignature(tmp_path: Path) -> None:
    answer = make(tmp_path).add_checkpoint(request(0, 8), NOW)
    assert answer.body.decode() == SIGNER.cosign(
        note(8).decode().split("\n\n")[0] + "\n", 1764000000
    )


def test_a_fork_is_never_cosigned(tmp_path: Path) -> None:
    witness = make(tmp_path)
    accepted(witness.add_checkpoint(request(0, 8), NOW), note(8))
    assert witness.add_checkpoint(request(8, 8, FORGED), NOW).status == 409
    assert witness.add_checkpoint(request(8, 20, FORGED), NOW).status == 422
    assert witness.add_checkpoint(request(0, 20, FORGED), NOW).status == 409
    assert witness.add_checkpoint(request(7, 8), NOW).status == 409
    assert witness.add_checkpoint(request(8, 7), NOW).status == 400
    assert witness.size_of("example.com/log") == 8
    accepted(witness.add_checkpoint(request(8, 20), NOW), note(20))


def test_bad_proofs_are_unprocessable(tmp_path: Path) -> None:
    witness = make(tmp_path)
    assert witness.add_checkpoint(body(0, [bytes(32)], note(6)), NOW).status == 422
    accepted(witness.add_checkpoint(request(0, 6), NOW), note(6))
    proof = reference.proof(6, LEAVES[:20])
    for bad in ([], proof[:-1], [*proof, bytes(32)], [*proof[1:], proof[0]], [b"short"]):
        assert witness.add_checkpoint(body(6, bad, note(20)), NOW).status == 422
    assert witness.add_checkpoint(body(6, [bytes(32)], note(6)), NOW).status == 422
    assert witness.size_of("example.com/log") == 6


def test_unknown_logs_and_keys_are_told_apart(tmp_path: Path) -> None:
    witness = make(tmp_path)
    other = NoteSigner("example.com/else", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    text = Checkpoint("example.com/else", 1, b"r" * 32)
    assert witness.add_checkpoint(body(0, [], sign_checkpoint(text, other)), NOW).status == 404
    forged = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    mine = Checkpoint("example.com/log", 1, reference.mth(LEAVES[:1]))
    assert witness.add_checkpoint(body(0, [], sign_checkpoint(mine, forged)), NOW).status == 403
    broken = note(1).replace(b"\n1\n", b"\n2\n")
    assert witness.add_checkpoint(body(0, [], broken), NOW).status == 403
    assert witness.size_of("example.com/log") == 0


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"old 0",
        b"old 0\n\n",
        b"new 0\n\n" + note(3),
        b"old\n\n" + note(3),
        b"old -1\n\n" + note(3),
        b"old 00\n\n" + note(3),
        b"old 0 \n\n" + note(3),
        b"old 0\n~\n\n" + note(3),
        b"old 0\n\n\n" + note(3)[1:],
        "old ٣\n\n".encode() + note(3),
        b"old 0\n" + encode_base64(bytes(32)).encode() + note(3),
        body(0, [bytes(32)] * 64, note(3)),
        body(0, [], b"x\n\n" + LOG.sign("x\n").encode()),
        b"old 0\n\n" + b"x" * MAX_REQUEST,
    ],
    ids=range(15),
)
def test_malformed_requests_are_bad_requests(tmp_path: Path, malformed: bytes) -> None:
    assert make(tmp_path).add_checkpoint(malformed, NOW).status == 400


def test_nothing_is_cosigned_that_could_not_be_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = make(tmp_path)

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(DurabilityError):
            witness.add_checkpoint(request(0, 8), NOW)
    assert witness.size_of("example.com/log") == 0
    # What a disk lost, a second attempt would only seem to keep.
    with pytest.raises(DurabilityError):
        witness.add_checkpoint(request(0, 3), NOW)
    accepted(make(tmp_path).add_checkpoint(request(0, 3), NOW), note(3))


def test_of_two_that_race_from_one_size_only_one_wins(tmp_path: Path) -> None:
    witness = make(tmp_path)
    witness.add_checkpoint(request(0, 8), NOW)
    answers: list[int] = []
    threads = [
        Thread(
            target=lambda n=size: answers.append(witness.add_checkpoint(request(8, n), NOW).status)
        )
        for size in (20, 30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409]


def test_monitors_are_shown_what_was_cosigned(tmp_path: Path) -> None:
    witness, origin = make(tmp_path), sha256(b"example.com/log").hexdigest()
    assert witness.checkpoint(origin) is None
    assert witness.checkpoint(sha256(b"else").hexdigest()) is None
    stranger = NoteSigner("stranger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    text = note(8).decode().split("\n\n")[0] + "\n"
    crowded = write_note(text, [stranger.sign(text), LOG.sign(text)])
    answer = witness.add_checkpoint(body(0, [], crowded), NOW)
    assert answer.status == 200
    for one in (witness, make(tmp_path)):
        assert one.checkpoint(origin) == note(8) + answer.body
    witness.add_checkpoint(request(8, 20, FORGED), NOW)
    assert witness.checkpoint(origin) == note(8) + answer.body


def test_a_memory_of_before_shows_nothing_and_refuses_as_ever(tmp_path: Path) -> None:
    state = tmp_path / "witness" / "state.json"
    state.parent.mkdir()
    root = encode_base64(reference.mth(LEAVES[:8]))
    state.write_text(f'{{"example.com/log": {{"size": 8, "root": "{root}"}}}}')
    witness = make(tmp_path)
    assert witness.checkpoint(sha256(b"example.com/log").hexdigest()) is None
    assert witness.add_checkpoint(request(0, 9), NOW).body == b"8\n"
    assert witness.add_checkpoint(request(8, 20, FORGED), NOW).status == 422
    accepted(witness.add_checkpoint(request(8, 9), NOW), note(9))


def test_no_entries_have_one_root(tmp_path: Path) -> None:
    empty = sign_checkpoint(Checkpoint("example.com/log", 0, bytes(32)), LOG)
    witness = make(tmp_path)
    assert witness.add_checkpoint(body(0, [], empty), NOW).status == 422
    accepted(witness.add_checkpoint(request(0, 0), NOW), note(0))


def test_a_second_key_cosigns_too(tmp_path: Path) -> None:
    signer = make_signer("w.example/2", 5, ml_dsa=True)
    assert signer.second is not None
    begin_memory(tmp_path / "state.json")
    witness = Witness(signer, {"example.com/log": LOG.verifier}, tmp_path / "state.json")
    answer = witness.add_checkpoint(request(0, 8), NOW)
    for key in (signer.cosigner, signer.second):
        assert open_note(note(8) + answer.body, [key])


def test_a_lost_memory_is_not_begun_anew(tmp_path: Path) -> None:
    make(tmp_path).add_checkpoint(request(0, 8), NOW)
    state = tmp_path / "witness" / "state.json"
    with pytest.raises(FileExistsError):
        begin_memory(state)
    state.unlink()
    with pytest.raises(ConfigurationError, match=r"is gone.*guard witness keygen"):
        Witness(SIGNER, {"example.com/log": LOG.verifier}, state)
    assert not state.exists()


def test_a_damaged_memory_is_not_forgotten(tmp_path: Path) -> None:
    make(tmp_path).add_checkpoint(request(0, 8), NOW)
    state = tmp_path / "witness" / "state.json"
    for content in (b"", b"[]", b'{"example.com/log": {"size": "x"}}'):
        state.write_bytes(content)
        with pytest.raises(ConfigurationError, match="malformed"):
            make(tmp_path)
