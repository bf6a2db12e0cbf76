import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from guard.ledger.checkpoint import Checkpoint, parse_text, sign_checkpoint
from guard.ledger.merkle import consistency_proof, tree_root
from guard.ledger.note import encode_base64, open_note, parse_note, parse_vkey
from tests.support.witnesses import make_signer
from tests.unit.api.cli.conftest import Guard

LOG = make_signer("example.com/log", 1)
SEED = 20_261_122
ROUNDS = 50 if os.environ.get("RECORDGUARD_FULL") == "1" else 4
SIZES = 64
PATIENCE_S = 60
SERVED = ("--log", LOG.vkey, "--listen", "127.0.0.1:0")


def test_a_key_is_made_once(guard: Guard, tmp_path: Path) -> None:
    said = guard("witness", "keygen", "--state", tmp_path / "w", "--name", "w.example/1", "--json")
    (vkey,) = json.loads(said.out)["vkeys"]
    assert parse_vkey(vkey).name == "w.example/1"
    said = guard("witness", "keygen", "--state", tmp_path / "w", "--name", "w.example/1")
    assert said.code == 78
    assert "exists" in said.err
    said = guard("witness", "keygen", "--state", tmp_path / "x", "--name", "w", "--ml-dsa")
    assert said.out.count("witness key w+") == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--log", "nonsense"], "--log"),
        (["--log", LOG.cosigner.encode()], "a witness's"),
        (["--log", LOG.vkey, "--log", LOG.vkey], "twice"),
        (["--log", LOG.vkey, "--listen", "8090"], "--listen"),
        (["--log", LOG.vkey, "--listen", "h:99999"], "--listen"),
        (["--log", LOG.vkey, "--prefix", "w"], "--prefix"),
        (["--log", LOG.vkey, "--prefix", "/w/"], "--prefix"),
    ],
)
@pytest.mark.enable_socket
def test_what_cannot_be_served_is_said_in_one_line(
    guard: Guard, tmp_path: Path, words: list[str], why: str
) -> None:
    guard("witness", "keygen", "--state", tmp_path, "--name", "w.example/1")
    if "--listen" not in words:
        words = [*words, "--listen", "127.0.0.1:0"]
    said = guard("witness", "serve", "--state", tmp_path, *words)
    assert said.code == 78
    assert why in said.err


def test_a_witness_without_a_key_says_so(guard: Guard, tmp_path: Path) -> None:
    said = guard("witness", "serve", "--state", tmp_path, "--log", LOG.vkey)
    assert said.code == 78
    assert "witness.key" in said.err


@pytest.mark.enable_socket
def test_a_witness_that_lost_its_memory_does_not_begin_anew(guard: Guard, tmp_path: Path) -> None:
    folder = ("--state", tmp_path)
    assert guard("witness", "keygen", *folder, "--name", "w.example/1").code == 0
    memory = tmp_path / "seen.json"
    assert memory.read_bytes() == b"{}"
    memory.unlink()
    assert guard("witness", "keygen", *folder, "--name", "w.example/1").code == 78
    said = guard("witness", "serve", *folder, *SERVED)
    assert said.code == 78
    assert "guard witness keygen" in said.err
    assert not memory.exists()
    (tmp_path / "witness.key").unlink()
    memory.write_bytes(b"{}")
    assert guard("witness", "keygen", *folder, "--name", "w.example/1").code == 78


def start(state: Path) -> "tuple[subprocess.Popen[str], int]":
    command = [sys.executable, "-m", "api.cli", "witness", "serve", "--state", str(state)]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--log", LOG.vkey, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("witness key w.example/1+")
    return process, int(process.stdout.readline().rpartition(":")[2])


def history(name: bytes) -> list[bytes]:
    """Leaf hashes of one of two histories, which part after the first entry."""
    return [sha256(b"%d" % n if n == 0 else name + b"%d" % n).digest() for n in range(SIZES)]


def request(hashes: list[bytes], old: int, new: int) -> tuple[bytes, bytes]:
    def node(level: int, index: int) -> bytes:
        return tree_root(hashes[index << level : (index + 1) << level])

    note = sign_checkpoint(Checkpoint("example.com/log", new, tree_root(hashes[:new])), LOG)
    proof = consistency_proof(old, new, node) if 0 < old < new else []
    lines = [f"old {old}", *map(encode_base64, proof)]
    return ("\n".join(lines) + "\n\n").encode() + note, note


def ask(port: int, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.enable_socket
def test_kill_minus_nine_never_makes_it_cosign_two_histories(guard: Guard, tmp_path: Path) -> None:
    """Two histories are offered in turn, the process is killed at random; all it signed is one."""
    said = guard("witness", "keygen", "--state", tmp_path, "--name", "w.example/1", "--json")
    key = parse_vkey(json.loads(said.out)["vkeys"][0])
    rng = np.random.default_rng(SEED)
    histories = [history(b"a"), history(b"b")]
    cosigned: list[Checkpoint] = []
    old = [0, 0]
    for _ in range(ROUNDS):
        process, port = start(tmp_path)
        left = int(rng.integers(1, 12))
        try:
            while True:
                which = int(rng.integers(0, 2))
                new = int(rng.integers(max(old[which], 1), SIZES + 1))
                body, note = request(histories[which], old[which], new)
                if left == 0:
                    os.kill(process.pid, signal.SIGKILL)
                left -= 1
                status, answer = ask(port, body)
                if status == 200:
                    text = open_note(note + answer, [key])
                    cosigned.append(parse_text(text))
                    old[which] = new
                elif status == 409:
                    old[which] = min(int(answer), SIZES)
                else:
                    assert status in {400, 422}
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    assert len(cosigned) >= ROUNDS
    beyond_the_fork = [one for one in cosigned if one.size > 1]
    fits = [all(tree_root(h[: c.size]) == c.root for c in beyond_the_fork) for h in histories]
    assert fits.count(True) == (1 if beyond_the_fork else 2)
    assert [one.size for one in cosigned] == sorted(one.size for one in cosigned)


@pytest.mark.enable_socket
def test_two_witnesses_never_share_a_folder_and_one_leaves_when_asked(
    guard: Guard, tmp_path: Path
) -> None:
    guard("witness", "keygen", "--state", tmp_path, "--name", "w.example/1")
    process, port = start(tmp_path)
    try:
        words = ["--state", tmp_path, "--log", LOG.vkey, "--listen", "127.0.0.1:0"]
        said = guard("witness", "serve", *words)
        assert (said.code, "another witness" in said.err) == (78, True)
        body, note = request(history(b"a"), 0, 3)
        status, answer = ask(port, body)
        assert status == 200
        assert len(parse_note(note + answer).signatures) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
