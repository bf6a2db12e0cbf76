import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.evidence.manifest import EvidenceManifest, exporter_of, open_evidence, sign_evidence
from guard.ledger.note import NoteSigner, write_note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = NoteSigner("example.com/log/exports", KEY)
MANIFEST = EvidenceManifest(
    origin="example.com/log",
    size=9,
    root="00" * 32,
    tenant="acme",
    start=0,
    end=9,
    leaves="all",
    filter={},
    requested_by="aud",
    purpose="a “matter”\nwith a line",
    created_at="2026-11-22T00:00:00Z",
    entries=2,
    writers={"00": 2},
    files={},
)


def test_a_manifest_comes_back_as_it_was() -> None:
    note = sign_evidence(MANIFEST, SIGNER)
    assert open_evidence(note, [SIGNER.verifier]) == MANIFEST
    assert exporter_of("example.com/log") == SIGNER.verifier.name


def signed(text: str) -> bytes:
    return write_note(text, [SIGNER.sign(text)])


@pytest.mark.parametrize("text", ["words\n{}\n", "recordguard-evidence/v1\n{}\n"])
def test_a_note_that_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        open_evidence(signed(text), [SIGNER.verifier])


def test_a_manifest_signed_by_the_log_or_by_nobody_known_is_refused() -> None:
    log = NoteSigner("example.com/log", KEY)
    for keys in ([log.verifier], []):
        with pytest.raises(ProofError, match="no known key"):
            open_evidence(sign_evidence(MANIFEST, log), keys)
