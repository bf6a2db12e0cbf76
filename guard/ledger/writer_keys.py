"""Which key signs a writer's receipts, certified before the first of them is given.

A receipt's key also stands in the writer's `WRITER_OPEN` entry. Were that entry removed before it
has its place, or the whole log replaced, nobody could tell by it that the key was this log's. So
the service signs each writer's key in a note of its own, published beside the tiles:

    writers/<writer, 16 hex digits>

A receipt, this note and the verifier key of the exports prove the promise, without the log.
"""

from dataclasses import dataclass
from pathlib import Path

from guard.durable import make_folder, replace_file
from guard.errors import ProofError
from guard.ledger.note import NoteSigner, VerifierKey, open_note, write_note

FOLDER = "writers"
# First line of the note: no checkpoint, manifest or history begins like it.
_HEADING = "recordguard-writer/v1"
_LINES = 4
# Published files are for everybody who can reach the folder.
_PUBLIC_FILE, _PUBLIC_FOLDER = 0o644, 0o755


@dataclass(frozen=True, slots=True)
class WriterKey:
    """A writer of the log of `origin`, in hex, and its public key in base64."""

    origin: str
    writer: str
    public_key: str


def certify(signer: NoteSigner, key: WriterKey) -> bytes:
    """The signed note that says whose key it is."""
    text = f"{_HEADING}\n{key.origin}\n{key.writer}\n{key.public_key}\n"
    return write_note(text, [signer.sign(text)])


def certified(note: bytes, verifier: VerifierKey) -> WriterKey:
    """Read a note; check a receipt with `verify_receipt` and the key in it.

    Raises:
        ProofError: It is no such note, or not signed with that key.
    """
    lines = open_note(note, [verifier]).split("\n")[:-1]
    if len(lines) != _LINES or lines[0] != _HEADING:
        raise ProofError("this note certifies no writer's key, fetch it from `writers`")
    return WriterKey(*lines[1:])


def publish_writer(log_dir: Path, signer: NoteSigner, key: WriterKey) -> None:
    """Certify a writer's key below the published log, durably.

    Raises:
        OSError: It cannot be written now.
    """
    folder = log_dir / FOLDER
    make_folder(folder, _PUBLIC_FOLDER)
    replace_file(folder / key.writer, certify(signer, key), _PUBLIC_FILE)
