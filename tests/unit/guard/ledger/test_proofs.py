from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.ledger import merkle
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from guard.ledger.note import NoteSigner, encode_base64
from guard.ledger.proofs import Proofs, TlogProof, parse_tlog_proof, verify_tlog_proof
from guard.ledger.tiles import TileEdge, TileFolder
from guard.ledger.trust import parse_policy

SIGNER = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SIZE = 300
TRUSTED = partial(open_checkpoint, key=SIGNER.verifier)


@pytest.fixture
def proofs(tmp_path: Path) -> Proofs:
    folder, edge = TileFolder(tmp_path), TileEdge()
    for n in range(SIZE):
        folder.write(edge.append(b"%d" % n))
    folder.write(edge.partials())
    return Proofs(tmp_path)


@pytest.fixture
def note(proofs: Proofs) -> bytes:
    return sign_checkpoint(Checkpoint("example.com/log", SIZE, proofs.root(SIZE)), SIGNER)


def test_a_proof_in_text_is_complete_in_itself(proofs: Proofs, note: bytes) -> None:
    policy = parse_policy(f"log {SIGNER.vkey}\nquorum none\n".encode())
    for index in (0, 17, 255, 256, 299):
        text = proofs.tlog_proof(index, note)
        assert text.startswith(b"c2sp.org/tlog-proof@v1\nindex %d\n" % index)
        assert text.endswith(b"\n\n" + note)
        for trusted in (TRUSTED, policy.open_checkpoint):
            found, checkpoint = verify_tlog_proof(text, b"%d" % index, trusted)
            assert (found, checkpoint.size) == (index, SIZE)


def test_proofs_between_sizes_verify(proofs: Proofs) -> None:
    proof = proofs.consistency(256, SIZE)
    merkle.verify_consistency(256, SIZE, proof, proofs.root(256), proofs.root(SIZE))


def test_another_leaf_or_key_is_refused(proofs: Proofs, note: bytes) -> None:
    text = proofs.tlog_proof(17, note)
    with pytest.raises(ProofError):
        verify_tlog_proof(text, b"18", TRUSTED)
    stranger = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(ProofError):
        verify_tlog_proof(text, b"17", partial(open_checkpoint, key=stranger.verifier))


def test_an_entry_beyond_the_checkpoint_has_no_proof(proofs: Proofs, note: bytes) -> None:
    with pytest.raises(ProofError):
        proofs.tlog_proof(SIZE, note)


def test_extra_data_and_the_single_leaf_round_trip() -> None:
    for proof in (
        TlogProof(index=0, hashes=(), note=b"n\n"),
        TlogProof(index=5, hashes=(b"h" * 32,), note=b"n\n\nm\n", extra=b"x"),
        TlogProof(index=5, hashes=(), note=b"n\n", extra=b""),
    ):
        assert parse_tlog_proof(proof.encode()) == proof


def test_every_changed_line_of_a_proof_is_refused(proofs: Proofs, note: bytes) -> None:
    lines = proofs.tlog_proof(17, note).decode().split("\n")
    for at, line in enumerate(lines):
        for other in (line[:-1] + "~", line + "~", "~" + line, line[:-1]):
            changed = "\n".join([*lines[:at], other, *lines[at + 1 :]])
            if other != line:
                with pytest.raises(ProofError):
                    verify_tlog_proof(changed.encode(), b"17", TRUSTED)
        # A signature may stand there twice: to a verifier it is one.
        if line and not line.startswith("\u2014"):
            dropped = "\n".join([*lines[:at], *lines[at + 1 :]])
            repeated = "\n".join([*lines[: at + 1], *lines[at:]])
            for changed in (dropped, repeated):
                with pytest.raises(ProofError):
                    verify_tlog_proof(changed.encode(), b"17", TRUSTED)


HASH = encode_base64(bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "c2sp.org/tlog-proof@v1\n\nn\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra eA==\n\nn\n",
        "c2sp.org/tlog-proof@v1\nextra ~\nindex 0\n\nn\n",
        "c2sp.org/tlog-proof@v1\nextra eA==\nextra eA==\nindex 0\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n~\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + (HASH + "\n") * 64 + "\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + HASH,
        "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nn\n",
        "c2sp.org/tlog-proof@v1\nindex \udcff\n\nn\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n" + "n" * 600_000,
    ],
    ids=range(18),
)
def test_text_that_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        parse_tlog_proof(text.encode("utf-8", "surrogateescape"))
