"""What a bundle of evidence says it is, signed (`docs/formats/evidence.md`).

The manifest is a signed note. It names the tree, the range, the question and who asked it, counts
what is shown, and holds the digest of every other file of the bundle, so that none can be taken out
or put in. It is signed with the key of exports, never with the log's.
"""

import json
from collections.abc import Sequence

import msgspec

from guard.errors import ProofError
from guard.ledger.note import NoteSigner, VerifierKey, open_note, write_note

HEADER = "recordguard-evidence/v1"

# Files of a bundle.
MANIFEST = "manifest"
CHECKPOINT = "checkpoint"
RANGE = "range.json"
LEAVES = "leaves"
HASHES = "hashes"
PARTS = "parts.ndjson"
TAGS = "tags.json"
VERIFIER = "verify.py"
# A time stamp: the checkpoint that it is of, the token, and what makes that tree the beginning of
# this one.
ANCHOR = "anchor.checkpoint"
STAMP = "anchor.tsr"
ANCHOR_RANGE = "anchor.json"


class EvidenceManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one bundle.

    `leaves` is `all` where every leaf of the range [start, end) is in it, `shown` where the leaves
    that are not shown are there by their hash alone. `filter` may hold `customer`, `agent`, and
    `since` and `until` in microseconds; and `vendor`, `team` and `regions` (with commas between)
    where a part of the log was the requester's. `entries` and `writers` count what is shown.
    """

    origin: str
    size: int
    root: str
    tenant: str
    start: int
    end: int
    leaves: str
    filter: dict[str, str]
    requested_by: str
    purpose: str
    created_at: str
    entries: int
    writers: dict[str, int]
    files: dict[str, str]


class ShownPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an entry: nonce and bytes in base64, or only its hash in hex."""

    open: bytes | None = None
    hash: str | None = None


class ShownEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `parts.ndjson`; `leaf` is there unless `leaves` holds it."""

    index: int
    leaf: bytes | None = None
    parts: tuple[ShownPart, ...]


class ShownTags(msgspec.Struct, frozen=True, kw_only=True):
    """The key, in hex, that makes the tags of one customer's entries, and how many there are."""

    key: str
    count: int


class Edges(msgspec.Struct, frozen=True, kw_only=True):
    """The hashes, in hex, that prove the range."""

    left: tuple[str, ...]
    right: tuple[str, ...]


def sign_evidence(manifest: EvidenceManifest, signer: NoteSigner) -> bytes:
    """The manifest as a signed note."""
    plain = json.dumps(msgspec.to_builtins(manifest), separators=(",", ":"))
    text = f"{HEADER}\n{plain}\n"
    return write_note(text, [signer.sign(text)])


def open_evidence(note: bytes, keys: Sequence[VerifierKey]) -> EvidenceManifest:
    """Read a manifest that the exporter of its log signed.

    Raises:
        ProofError: It is malformed, or not signed with a key of `keys` that has the right name.
    """
    header, _, text = open_note(note, keys).partition("\n")
    if header != HEADER:
        raise ProofError(f"note is no manifest, its first line must be `{HEADER}`")
    try:
        manifest = msgspec.json.decode(text, type=EvidenceManifest)
    except msgspec.MsgspecError:
        raise ProofError("manifest is malformed, ask for the bundle anew") from None
    own = [key for key in keys if key.name == exporter_of(manifest.origin)]
    if not own:
        raise ProofError("no known key signed this manifest, ask the operator for it")
    open_note(note, own)
    return manifest


def unhex(text: str) -> bytes:
    """Read hexadecimal in its one spelling.

    Raises:
        ProofError: It is not that.
        ValueError: It is no hexadecimal.
    """
    content = bytes.fromhex(text)
    if content.hex() != text:
        raise ProofError("hexadecimal of the bundle is malformed, ask for it anew")
    return content


def exporter_of(origin: str) -> str:
    """The name of the key that signs manifests of a log."""
    return f"{origin}/exports"
