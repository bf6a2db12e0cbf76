"""What is in an export, signed: so that a file can be checked long after it left.

A manifest is a signed note. Its first line names the format, its second is one JSON object with
the tree (origin, size, root) that the export was taken from, the filter, and the size and SHA-256
of the file. It is signed with a key of its own name, never with the log's, which signs nothing but
checkpoints.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

import msgspec

from guard.errors import ProofError
from guard.ledger.note import NoteSigner, VerifierKey, open_note, write_note

HEADER = "recordguard-export/v1"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facts of one export.

    `filter` holds what was asked for, by the names of `guard.rows.LogQuery`. `records` counts the
    records of the file; a CSV header is one. `cells` is the cell guard of a CSV file.
    """

    origin: str
    size: int
    root: str
    tenant: str
    format: str
    filter: dict[str, str]
    requested_by: str
    created_at: str
    records: int
    octets: int
    sha256: str
    cells: str = ""


class Tally:
    """Counts and hashes a file while it streams by."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.records = 0
        self.octets = 0
        self._hash = sha256()

    def through(self, records: Iterable[bytes]) -> Iterator[bytes]:
        """Pass records on, counted."""
        for record in records:
            self.add(record)
            yield record

    def add(self, record: bytes) -> None:
        """Count one record."""
        self.records += 1
        self.octets += len(record)
        self._hash.update(record)

    def digest(self) -> str:
        """SHA-256 of all chunks so far, in hex."""
        return self._hash.hexdigest()


def sign_manifest(manifest: Manifest, signer: NoteSigner) -> bytes:
    """The manifest as a signed note."""
    text = f"{HEADER}\n{msgspec.json.encode(manifest).decode()}\n"
    return write_note(text, [signer.sign(text)])


def open_manifest(note: bytes, key: VerifierKey) -> Manifest:
    """Read a manifest that `key` signed.

    Raises:
        ProofError: It is malformed, or not signed with that key.
    """
    header, _, text = open_note(note, [key]).partition("\n")
    if header != HEADER:
        raise ProofError(f"note is no manifest, its first line must be `{HEADER}`")
    try:
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError:
        raise ProofError("manifest is malformed, ask for the export anew") from None


def check_file(manifest: Manifest, chunks: Iterable[bytes]) -> None:
    """Check that a file is the one that the manifest describes.

    Raises:
        ProofError: It is another, or was changed.
    """
    tally = Tally()
    for chunk in chunks:
        tally.add(chunk)
    if (tally.octets, tally.digest()) != (manifest.octets, manifest.sha256):
        raise ProofError("file is not the one that was exported, ask for it anew")
