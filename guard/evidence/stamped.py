"""Time stamps in a bundle: what an outside clock said of which tree, and what that is worth.

The bundle's own checkpoint is newer than the last anchor, mostly. So the anchored checkpoint lies
beside it, with the hashes that make its tree the beginning of the bundle's: what it holds existed
at the time stamped.

What a token (RFC 3161) is a stamp of stands in its DER, and is read here by hand: a few fixed steps
down. Whether the authority signed it only `guard.ledger.anchors.Stamps` can say, with the
authority's certificate; without one, a report says that nobody looked.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from guard.clock import Micros, from_rfc3339
from guard.errors import ProofError
from guard.evidence.manifest import ANCHOR, ANCHOR_RANGE, STAMP, Edges, unhex
from guard.ledger.anchors import Stamps
from guard.ledger.checkpoint import Checkpoint, parse_text
from guard.ledger.note import parse_note
from guard.ledger.ranges import RangeProof, RangeTree

# What a bundle holds of a time stamp: all three files, or none.
FILES = frozenset({ANCHOR, STAMP, ANCHOR_RANGE})

_INTEGER, _OCTETS, _OID, _TIME, _SEQUENCE, _SET, _EXPLICIT = 2, 4, 6, 0x18, 0x30, 0x31, 0xA0
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_SHA256 = bytes.fromhex("608648016503040201")
_GRANTED = (b"\x00", b"\x01")
_GENERALIZED = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d(?:\.\d{1,6})?)Z")
_LONG_FORM, _MOST_OCTETS = 0x80, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StampReport:
    """The first `size` entries existed at `at`, as an authority says.

    `is_signed`: its signature was checked; else anybody could have written this.
    """

    size: int
    at: Micros
    is_signed: bool


def check_stamp(
    files: Mapping[str, bytes], checkpoint: Checkpoint, stamps: Stamps | None
) -> StampReport | None:
    """Check what a bundle holds of a time stamp, by file name; None: nothing.

    Raises:
        ProofError: It does not hold, or there is none and the reader has the authority's
            certificate.
    """
    if not files:
        if stamps is not None:
            raise ProofError("bundle has no time stamp: ask for one that was made later")
        return None
    if files.keys() != FILES:
        raise ProofError("a part of the time stamp is missing, ask for the bundle anew")
    note, token = files[ANCHOR], files[STAMP]
    anchored = parse_text(parse_note(note).text)
    edges = msgspec.json.decode(files[ANCHOR_RANGE], type=Edges)
    check_prefix(anchored, checkpoint, edges)
    hashed, at = stamped(token)
    if hashed != hashlib.sha256(note).digest():
        raise ProofError("time stamp is one of something else, do not trust it")
    if stamps is not None:
        at = stamps.verify(token, note)
    return StampReport(size=anchored.size, at=at, is_signed=stamps is not None)


def check_prefix(anchored: Checkpoint, checkpoint: Checkpoint, edges: Edges) -> None:
    """Check that the anchored tree is the beginning of the checkpoint's.

    Raises:
        ProofError: It is not.
    """
    if anchored.origin != checkpoint.origin:
        raise ProofError("time stamp is one of another log, do not trust it")
    left, right = (tuple(map(unhex, one)) for one in (edges.left, edges.right))
    size = anchored.size
    RangeTree(size, size, size, RangeProof(left, ())).check(anchored.root)
    tree = RangeTree(size, size, checkpoint.size, RangeProof(left, right))
    tree.check(checkpoint.root)


def stamped(token: bytes) -> tuple[bytes, Micros]:
    """Of which SHA-256 a token is, and the time that it says.

    Raises:
        ProofError: It is none, or of another digest than SHA-256.
    """
    reply, rest = _element(token, _SEQUENCE)
    status, message = _element(reply, _SEQUENCE)
    if rest or _element(status, _INTEGER)[0] not in _GRANTED:
        raise _malformed()
    signed, _ = _element(_content(message, _SIGNED_DATA), _SEQUENCE)
    _, signed = _element(signed, _INTEGER)
    _, signed = _element(signed, _SET)
    octets, _ = _element(_content(signed, _TST_INFO), _OCTETS)
    info, _ = _element(octets, _SEQUENCE)
    _, info = _element(info, _INTEGER)
    _, info = _element(info, _OID)
    imprint, info = _element(info, _SEQUENCE)
    _, info = _element(info, _INTEGER)
    time, _ = _element(info, _TIME)
    algorithm, imprint = _element(imprint, _SEQUENCE)
    hashed, rest = _element(imprint, _OCTETS)
    if rest or _element(algorithm, _OID)[0] != _SHA256:
        raise _malformed()
    return hashed, _when(time)


def _content(message: bytes, kind: bytes) -> bytes:
    """What a `ContentInfo` of this kind holds."""
    info, _ = _element(message, _SEQUENCE)
    found, info = _element(info, _OID)
    if found != kind:
        raise _malformed()
    return _element(info, _EXPLICIT)[0]


def _element(content: bytes, tag: int) -> tuple[bytes, bytes]:
    """The body of the first element, which must bear `tag`, and what follows it."""
    if len(content) < 2 or content[0] != tag:  # noqa: PLR2004 - a tag and a length
        raise _malformed()
    size, at = content[1], 2
    if size & _LONG_FORM:
        count = size - _LONG_FORM
        if not 1 <= count <= _MOST_OCTETS:
            raise _malformed()
        at += count
        size = int.from_bytes(content[2:at], "big")
    if at + size > len(content):
        raise _malformed()
    return content[at : at + size], content[at + size :]


def _when(time: bytes) -> Micros:
    parts = _GENERALIZED.fullmatch(time)
    if parts is None:
        raise _malformed()
    year, month, day, hour, minute, second = (one.decode() for one in parts.groups())
    try:
        return from_rfc3339(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")
    except ValueError:
        raise _malformed() from None


def _malformed() -> ProofError:
    return ProofError("time stamp is malformed, ask for the bundle anew")
