"""What is in an export, signed: so that a file can be checked long after it left.

A manifest is a signed note. Its first line names the format, its second is one JSON object with
the tree (origin, size, root) that the export was taken from, what was asked for and why, the whole
population (so that a sample can be drawn from it and nothing left out unseen), and size and SHA-256
of the file and of each of its chunks. It is signed with a key of its own name, never with the
log's, which signs nothing but checkpoints.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

import msgspec

from guard.errors import ProofError
from guard.ledger.note import NoteSigner, VerifierKey, open_note, write_note

HEADER = "recordguard-export/v1"


class ChunkDigest(msgspec.Struct, frozen=True, array_like=True):
    """Size and SHA-256 of one chunk: what a resumed download is checked by."""

    octets: int
    sha256: str


class Population(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the filter found below `Manifest.size`, and a commitment to all that it left out.

    `erased` of those that the filter found are left out too: the part that would be told was
    erased with its agent.
    `omitted_sha256` is over the leaf hashes of the entries that are not in the file, by falling
    index. Whoever has the published tree and the file can compute it: the indexes of the file and
    these are the whole tree, and their leaves tell kind and time.
    """

    entries: int
    first_index: int | None = None
    last_index: int | None = None
    kinds: dict[str, int] = {}
    vendors: dict[str, int] = {}
    erased: int = 0
    omitted: int = 0
    omitted_sha256: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facts of one export.

    `filter` holds what was asked for, by the names of `guard.rows.LogQuery`. `records` counts the
    records of the file; a CSV header is one. `cells` is the cell guard of a CSV file. `why` is what
    the requester typed, `recipient` for whom outside the company. `customers` is false for a
    file that names none.
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
    job: str = ""
    why: str = ""
    recipient: str = ""
    customers: bool = True
    population: Population | None = None
    chunks: tuple[ChunkDigest, ...] = ()


class Tally:
    """Counts and hashes a file while it streams by."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.records = 0
        self.octets = 0
        self._hash = sha256()

    def add(self, content: bytes, records: int = 1) -> None:
        """Count some records."""
        self.records += records
        self.octets += len(content)
        self._hash.update(content)

    def digest(self) -> str:
        """SHA-256 of all so far, in hex."""
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


def check_file(manifest: Manifest, pieces: Iterable[bytes]) -> None:
    """Check that a file is the one that the manifest describes, however it is cut into pieces.

    Raises:
        ProofError: It is another, or was changed; the first chunk that differs is named.
    """
    tally = Tally()
    for number, chunk in enumerate(_chunked(pieces, [one.octets for one in manifest.chunks])):
        tally.add(chunk)
        if number < len(manifest.chunks) and (
            manifest.chunks[number].sha256 != sha256(chunk).hexdigest()
        ):
            raise ProofError(f"chunk {number} is not what was exported, ask for it anew")
    if (tally.octets, tally.digest()) != (manifest.octets, manifest.sha256):
        raise ProofError("file is not the one that was exported, ask for it anew")


def _chunked(pieces: Iterable[bytes], sizes: Iterable[int]) -> Iterator[bytes]:
    """The same bytes in chunks of these sizes, then whatever is left."""
    held, remaining = bytearray(), iter(pieces)
    for size in sizes:
        while len(held) < size and (piece := next(remaining, b"")):
            held += piece
        yield bytes(held[:size])
        del held[:size]
    yield bytes(held)
    yield from remaining
