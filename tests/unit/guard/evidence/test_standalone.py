import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.evidence import standalone
from guard.ledger.proofs import Proofs
from tests.support.rig import Rig
from tests.unit.guard.evidence.cases import bundle, tell


def run(script: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """As an outsider runs it: alone, isolated from every package."""
    command = [sys.executable, "-I", "-S", str(script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours


@pytest.mark.anyio
async def test_the_file_in_the_bundle_checks_the_bundle(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", customer=told.refs[0])
    with zipfile.ZipFile(path) as held:
        script = Path(held.extract("verify.py", tmp_path / "out"))
    keys = [word for one in told.vkeys for word in ("--vkey", one)]
    said = run(script, path, *keys)
    assert (said.returncode, said.stderr) == (0, "")
    assert "about the customer alone and none after" in said.stdout
    refused = run(script, path, *keys[:2])
    assert refused.returncode == 1
    assert refused.stdout.startswith("does not hold: ")
    assert run(script).returncode == 2
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    proof = tmp_path / "one.tlog-proof"
    proof.write_bytes(Proofs(tmp_path / "log").tlog_proof(3, note))
    with rig.store.read() as view:
        leaves = [one.leaf.hex() for one in view.entries(2, 2)]
    assert run(script, proof, *keys, "--leaf", leaves[1]).stdout == "holds: the leaf is entry 3\n"
    assert run(script, proof, *keys, "--leaf", leaves[0]).returncode == 1


def test_signatures_are_judged_as_by_the_library() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public, message = key.public_key().public_bytes_raw(), b"words"
    good = key.sign(message)
    assert standalone.is_signed(public, message, good)
    assert not standalone.is_signed(public, message + b"!", good)
    for place in range(0, 64, 7):
        broken = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        assert not standalone.is_signed(public, message, broken)
    beyond = int.from_bytes(good[32:], "little") + standalone.ORDER
    assert not standalone.is_signed(public, message, good[:32] + beyond.to_bytes(32, "little"))
    assert not standalone.is_signed(public, message, good[:-1])
    with pytest.raises(standalone.RefusedError, match="no point"):
        standalone.is_signed(b"\xff" * 32, message, good)
