"""Proofs from the published files, and the text they travel in (C2SP tlog-proof).

A `.tlog-proof` is complete in itself: index, path and checkpoint. Whoever holds the leaf and the
log's key, or a trust policy, checks it with no access to this service.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from guard.errors import ProofError
from guard.ledger.checkpoint import Checkpoint, parse_number, parse_text
from guard.ledger.merkle import (
    HASH_SIZE,
    MAX_PROOF,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_root,
    verify_inclusion,
)
from guard.ledger.note import MAX_NOTE, decode_base64, encode_base64, parse_note
from guard.ledger.tiles import TileFolder

_HEADER = "c2sp.org/tlog-proof@v1"

# A path of 63 hashes, a note and as much extra data; more is no proof.
_MAX_TEXT = 2 * MAX_NOTE + 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """A parsed proof; nothing in it has been checked yet, and `extra` never is."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        """The text of the proof."""
        lines = [_HEADER]
        if self.extra is not None:
            lines.append("extra " + encode_base64(self.extra))
        lines.append(f"index {self.index}")
        lines += [encode_base64(one) for one in self.hashes]
        return ("\n".join(lines) + "\n\n").encode() + self.note


class Proofs:
    """Proves what the published files of a log hold."""

    def __init__(self, log_dir: Path) -> None:
        """Read the files below `log_dir`."""
        self._folder = TileFolder(log_dir)

    def root(self, size: int) -> bytes:
        """Root of the published tree at `size`, at least 1.

        Raises:
            ProofError: A file of that tree is missing.
        """
        return range_root(0, size, self._folder.nodes(size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Path from leaf `index` to the root of the tree of `size`.

        Raises:
            ProofError: There is no such leaf, or a file of that tree is missing.
        """
        return inclusion_proof(index, size, self._folder.nodes(size))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Proof that the tree of size `new` continues the tree of size `old`.

        Raises:
            ProofError: The sizes are the wrong way round, or a file of that tree is missing.
        """
        return consistency_proof(old, new, self._folder.nodes(new))

    def tlog_proof(self, index: int, note: bytes) -> bytes:
        """The `.tlog-proof` of entry `index` in the checkpoint `note`.

        Raises:
            ProofError: The checkpoint does not cover the entry yet, or a file is missing.
        """
        size = parse_text(parse_note(note).text).size
        hashes = tuple(self.inclusion(index, size))
        return TlogProof(index=index, hashes=hashes, note=note).encode()


def parse_tlog_proof(text: bytes) -> TlogProof:
    """Read a `.tlog-proof`.

    Raises:
        ProofError: It is malformed or too large.
    """
    head, blank, note = text.partition(b"\n\n")
    if len(text) > _MAX_TEXT or not blank:
        raise ProofError("proof is too large or has no checkpoint, fetch it anew")
    try:
        lines = head.decode().split("\n")
    except UnicodeDecodeError:
        raise ProofError("proof is not UTF-8, fetch it anew") from None
    if lines.pop(0) != _HEADER:
        raise ProofError(f"proof does not begin with `{_HEADER}`, fetch it anew")
    extra = _keyword("extra", lines)
    index = _keyword("index", lines)
    if index is None:
        raise ProofError("proof has no index, fetch it anew")
    return TlogProof(
        index=parse_number(index),
        hashes=_hashes(lines),
        note=note,
        extra=None if extra is None else decode_base64(extra),
    )


def _keyword(word: str, lines: list[str]) -> str | None:
    if lines and lines[0].startswith(word + " "):
        return lines.pop(0).removeprefix(word + " ")
    return None


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PROOF:
        raise ProofError(f"proof has {len(lines)} hashes, at most {MAX_PROOF} can be needed")
    hashes = tuple(decode_base64(line) for line in lines)
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError(f"a hash of the proof is not {HASH_SIZE} bytes long, fetch it anew")
    return hashes


def verify_tlog_proof(
    text: bytes, leaf: bytes, open_note: Callable[[bytes], Checkpoint]
) -> tuple[int, Checkpoint]:
    """Check that the log holds `leaf`; returns where, and in which tree.

    `open_note` decides whom to believe: `TrustPolicy.open_checkpoint`, or `open_checkpoint` with
    the log's key bound.

    Raises:
        ProofError: The proof, its checkpoint or the leaf does not hold.
    """
    proof = parse_tlog_proof(text)
    checkpoint = open_note(proof.note)
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(leaf), proof.hashes, checkpoint.root)
    return proof.index, checkpoint
