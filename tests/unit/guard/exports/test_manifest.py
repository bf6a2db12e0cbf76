from dataclasses import dataclass
from hashlib import sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.exports.manifest import (
    HEADER,
    ChunkDigest,
    Manifest,
    Population,
    Tally,
    check_file,
    open_manifest,
    sign_manifest,
)
from guard.ledger.note import NoteSigner, write_note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = NoteSigner("example.com/exports", KEY)
FILE = [b"a,b\r\n", b"1,2\r\n", b"3,4\r\n"]


@dataclass(frozen=True)
class Made:
    manifest: Manifest
    note: bytes


@pytest.fixture
def made() -> Made:
    tally = Tally()
    for piece in FILE:
        tally.add(piece)
    manifest = Manifest(
        origin="example.com/log",
        size=41,
        root="00" * 32,
        tenant="acme",
        format="csv",
        filter={"agent_id": "u-17", "note": "an é and a \n newline"},
        requested_by="auditor-1",
        created_at="2025-11-24T16:00:00.000000Z",
        records=tally.records,
        octets=tally.octets,
        sha256=tally.digest(),
        cells="formulas",
        job="ab" * 16,
        why="the yearly audit",
        population=Population(entries=2, first_index=3, last_index=9, kinds={"view": 2}),
        chunks=(
            ChunkDigest(octets=5, sha256=sha256(FILE[0]).hexdigest()),
            ChunkDigest(octets=10, sha256=sha256(FILE[1] + FILE[2]).hexdigest()),
        ),
    )
    return Made(manifest, sign_manifest(manifest, SIGNER))


def test_a_manifest_opens_and_describes_its_file(made: Made) -> None:
    opened = open_manifest(made.note, SIGNER.verifier)
    assert opened == made.manifest
    assert (opened.records, opened.octets) == (3, 15)
    assert opened.sha256 == sha256(b"".join(FILE)).hexdigest()
    check_file(opened, FILE)
    check_file(opened, [b"".join(FILE)])


@pytest.mark.parametrize("other", [[], FILE[:2], [*FILE, b"5,6\r\n"], [b"a,b\r\n1,2\r\n3,5\r\n"]])
def test_another_file_is_refused(made: Made, other: list[bytes]) -> None:
    with pytest.raises(ProofError):
        check_file(made.manifest, other)


def test_the_chunk_that_differs_is_named(made: Made) -> None:
    for file, number in (
        ([FILE[0], b"1,9\r\n", FILE[2]], 1),
        ([b"x,b\r\n", *FILE[1:]], 0),
    ):
        with pytest.raises(ProofError, match=f"chunk {number}"):
            check_file(made.manifest, file)


def test_a_manifest_without_chunks_is_checked_as_a_whole(made: Made) -> None:
    earlier = msgspec.structs.replace(made.manifest, chunks=())
    check_file(earlier, FILE)
    with pytest.raises(ProofError):
        check_file(earlier, FILE[1:])


def test_a_changed_or_foreign_manifest_is_refused(made: Made) -> None:
    stranger = NoteSigner("example.com/exports", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(ProofError):
        open_manifest(made.note, stranger.verifier)
    with pytest.raises(ProofError):
        open_manifest(made.note.replace(b'"size":41', b'"size":42'), SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADER + "\n",
        HEADER + "\n{}\n",
        HEADER + "\n[]\n",
        HEADER + "/2\n{}\n",
        "example.com/log\n3\nAAAA\n",
    ],
    ids=range(6),
)
def test_a_signed_text_that_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        open_manifest(write_note(text, [SIGNER.sign(text)]), SIGNER.verifier)


def test_a_manifest_with_an_unknown_field_is_refused(made: Made) -> None:
    content = {**msgspec.to_builtins(made.manifest), "more": 1}
    text = f"{HEADER}\n{msgspec.json.encode(content).decode()}\n"
    with pytest.raises(ProofError):
        open_manifest(write_note(text, [SIGNER.sign(text)]), SIGNER.verifier)
