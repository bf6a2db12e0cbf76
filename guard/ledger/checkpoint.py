"""Checkpoints (C2SP tlog-checkpoint v1.0.0): a signed note with a log's size and root.

The text is the origin, the size in decimal and the root in base64, a line each. We write no
extension lines; those of others are kept and ignored. The key's name is the origin.
"""

from dataclasses import dataclass

from guard.errors import ProofError
from guard.ledger.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from guard.ledger.note import (
    LOG_TYPES,
    NoteSigner,
    VerifierKey,
    decode_base64,
    encode_base64,
    open_note,
    parse_vkey,
    write_note,
)

# Digits of the largest size; a longer line is refused before it is made a number.
_MAX_DIGITS = len(str(MAX_SIZE))
_FIXED_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself: this many entries, hashing to this root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "\n".join(lines) + "\n"


def parse_number(text: str) -> int:
    """Read a size or index: ASCII decimal without leading zeros, below 2**63.

    Raises:
        ProofError: The text is not that.
    """
    is_canonical = text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0")
    if not is_canonical or len(text) > _MAX_DIGITS or int(text) > MAX_SIZE:
        raise ProofError("size or index is not a plain decimal number, fetch the document anew")
    return int(text)


def parse_text(text: str) -> Checkpoint:
    """Read the text of a checkpoint.

    Raises:
        ProofError: It is none.
    """
    checkpoint = parse_lines(text)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise ProofError("checkpoint of no entries has a root of some, do not trust this log")
    return checkpoint


def parse_lines(text: str) -> Checkpoint:
    """Read the lines of a checkpoint, whatever they say.

    Raises:
        ProofError: They are not a checkpoint's.
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) < _FIXED_LINES or not all(lines):
        raise ProofError("checkpoint has no three lines, fetch it anew")
    size, root = parse_number(lines[1]), decode_base64(lines[2])
    if len(root) != HASH_SIZE:
        raise ProofError(f"checkpoint's root is not {HASH_SIZE} bytes long, fetch it anew")
    return Checkpoint(lines[0], size, root, tuple(lines[_FIXED_LINES:]))


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
    """Write a checkpoint as a note.

    Equal checkpoints give equal bytes, as Ed25519 does; ML-DSA-44 is randomised.
    """
    text = checkpoint.text()
    return write_note(text, signer.sign_checkpoint(text))


def log_key(vkey: str) -> VerifierKey:
    """Read a log's verifier key.

    Raises:
        ProofError: It is malformed, or a witness's.
    """
    key = parse_vkey(vkey)
    if key.kind not in LOG_TYPES:
        raise ProofError(f"key of `{key.name}` is a witness's, use the log's")
    return key


def open_checkpoint(note: bytes, key: VerifierKey) -> Checkpoint:
    """Read a checkpoint that the log with `key` signed.

    Raises:
        ProofError: The note or its text is malformed, unsigned, badly signed or another log's.
    """
    checkpoint = parse_text(open_note(note, [key]))
    if checkpoint.origin != key.name:
        raise ProofError(f"checkpoint is not of log `{key.name}`, ask for the right one")
    return checkpoint
