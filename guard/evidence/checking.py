"""Checks a bundle of evidence offline, with this package's libraries.

The same judgement as the file `verify.py` in the bundle, written apart from it: what one of the two
lets through by mistake, the other refuses. It needs the log's key and the exporter's, or a trust
policy and the exporter's, and nothing of the service.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import IO

import msgspec

from guard.entries import EventPart, SubjectPart
from guard.errors import ProofError
from guard.evidence.manifest import (
    CHECKPOINT,
    HASHES,
    LEAVES,
    MANIFEST,
    PARTS,
    RANGE,
    TAGS,
    Edges,
    EvidenceManifest,
    ShownEntry,
    ShownPart,
    ShownTags,
    open_evidence,
    unhex,
)
from guard.evidence.stamped import FILES as STAMP_FILES
from guard.evidence.stamped import StampReport, check_stamp
from guard.ledger.anchors import Stamps
from guard.ledger.checkpoint import Checkpoint, open_checkpoint
from guard.ledger.completeness import Completeness, tags_of
from guard.ledger.entry import LEAF_SIZE, NONCE_SIZE, Leaf, commit, decode_leaf, inner_hash
from guard.ledger.merkle import HASH_SIZE, leaf_hash
from guard.ledger.note import SignatureType, VerifierKey
from guard.ledger.ranges import RangeProof, RangeTree
from guard.ledger.trust import TrustPolicy
from guard.ledger.writers import Writers

PIECE = 1 << 16

# What is read at once of a bundle is bounded before any signature is checked: a small file, a line
# of what is shown (a chunk of an export with its thousand customers is under 1 MiB), and how much
# more than its bytes a file may unpack to. Leaves and parts pack to half at best.
MOST_SMALL = 256 * 1024
MOST_LINE = 16 * 1024 * 1024
MOST_RATIO = 100

_shown = msgspec.json.Decoder(ShownEntry).decode
_event = msgspec.json.Decoder(EventPart).decode
_subject = msgspec.json.Decoder(SubjectPart).decode
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
    msgspec.MsgspecError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReport:
    """What was found to hold.

    `of_customer` counts the entries about a customer alone, None without one; of none, nothing says
    that the key of the tags is this customer's. `gaps` of writers were told by entries.
    `is_cosigned`: a quorum of witnesses was wanted, and cosigned. `stamp`: what the bundle's time
    stamp says, None without one.
    """

    manifest: EvidenceManifest
    checkpoint: Checkpoint
    shown: int
    of_customer: int | None
    gaps: int
    is_cosigned: bool
    stamp: StampReport | None


def verify_bundle(
    path: Path,
    keys: Sequence[VerifierKey],
    policy: TrustPolicy | None = None,
    stamps: Stamps | None = None,
) -> EvidenceReport:
    """Check a bundle with the keys of the log and of its exporter; a policy adds its witnesses.

    With `stamps` it must hold a time stamp, which that authority signed.

    Raises:
        ProofError: Something does not hold; `index` is the bad entry where there is one.
        OSError: The file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            return _check(bundle, keys, policy, stamps)
    except _BROKEN as error:
        name = type(error).__name__
        raise ProofError(f"bundle is cut or malformed ({name}), ask for it anew") from None


def _check(
    bundle: zipfile.ZipFile,
    keys: Sequence[VerifierKey],
    policy: TrustPolicy | None,
    stamps: Stamps | None,
) -> EvidenceReport:
    names = bundle.namelist()
    if len(set(names)) != len(names) or MANIFEST not in names:
        raise ProofError("bundle has no manifest of its own, ask for it anew")
    _check_sizes(bundle)
    plain = [key for key in keys if key.kind is SignatureType.ED25519]
    manifest = open_evidence(_read(bundle, MANIFEST), plain)
    if {*names} != {*manifest.files, MANIFEST}:
        raise ProofError("bundle has other files than its manifest says, do not trust it")
    for name, digest in manifest.files.items():
        if _digest(bundle, name) != digest:
            raise ProofError(f"file `{name}` of the bundle was changed, do not trust it")
    checkpoint = _checkpoint(_read(bundle, CHECKPOINT), manifest, plain, policy)
    told = (manifest.origin, manifest.size, manifest.root)
    if (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) != told:
        raise ProofError("checkpoint of the bundle is not the one of its manifest, do not trust it")
    files = {name: _read(bundle, name) for name in STAMP_FILES.intersection(names)}
    stamp = check_stamp(files, checkpoint, stamps)
    walk = _Walk(bundle, manifest)
    with walk.writers.judging():
        walk.run(checkpoint)
    return EvidenceReport(
        manifest=manifest,
        checkpoint=checkpoint,
        shown=walk.shown,
        of_customer=None if walk.tags is None else len(walk.tags.places()),
        gaps=walk.writers.gaps,
        is_cosigned=policy is not None and policy.wants_witnesses,
        stamp=stamp,
    )


def _check_sizes(bundle: zipfile.ZipFile) -> None:
    for one in bundle.infolist():
        # Other ways of packing are opened without a bound by the library.
        if one.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ProofError(f"file `{one.filename}` is packed in another way, do not trust it")
        if one.file_size > max(MOST_SMALL, MOST_RATIO * one.compress_size):
            raise ProofError(f"file `{one.filename}` unpacks to too much, do not trust it")


def _read(bundle: zipfile.ZipFile, name: str) -> bytes:
    """A small file; what its directory says of its size is not believed either."""
    with bundle.open(name) as file:
        content = file.read(MOST_SMALL + 1)
    if bundle.getinfo(name).file_size > MOST_SMALL or len(content) > MOST_SMALL:
        raise ProofError(f"file `{name}` of the bundle is too large, do not trust it")
    return content


def _digest(bundle: zipfile.ZipFile, name: str) -> str:
    hashed = hashlib.sha256()
    with bundle.open(name) as file:
        while piece := file.read(PIECE):
            hashed.update(piece)
    return hashed.hexdigest()


def _checkpoint(
    note: bytes,
    manifest: EvidenceManifest,
    keys: Sequence[VerifierKey],
    policy: TrustPolicy | None,
) -> Checkpoint:
    if policy is not None:
        return policy.open_checkpoint(note)
    for key in keys:
        if key.name == manifest.origin:
            return open_checkpoint(note, key)
    raise ProofError(f"key of log `{manifest.origin}` is missing, ask the operator for it")


class _Walk:
    """One pass over the leaves of the range and the entries shown, side by side."""

    def __init__(self, bundle: zipfile.ZipFile, manifest: EvidenceManifest) -> None:
        self._bundle, self._manifest = bundle, manifest
        self.writers = Writers(from_the_beginning=manifest.start == 0, may_have_gaps=True)
        self._counts: dict[str, int] = {}
        self.shown = 0
        self.tags = self._tags()

    def _tags(self) -> Completeness | None:
        manifest = self._manifest
        if "customer" not in manifest.filter:
            return None
        if (manifest.start, manifest.end, manifest.leaves) != (0, manifest.size, "all"):
            raise ProofError("a customer's bundle does not hold the whole log, ask for it anew")
        found = msgspec.json.decode(_read(self._bundle, TAGS), type=ShownTags)
        if not 0 <= found.count <= manifest.size:
            raise ProofError("more entries of the customer are told than the log has, do not trust")
        return Completeness(tags_of(unhex(found.key), found.count))

    def run(self, checkpoint: Checkpoint) -> None:
        manifest = self._manifest
        edges = msgspec.json.decode(_read(self._bundle, RANGE), type=Edges)
        left, right = (tuple(map(unhex, one)) for one in (edges.left, edges.right))
        proof = RangeProof(left, right)
        tree = RangeTree(manifest.start, manifest.end, manifest.size, proof)
        with self._bundle.open(PARTS) as parts:
            line = _next(parts)
            for index, (leaf, hashed) in enumerate(self._leaves(), manifest.start):
                tree.append(hashed)
                is_shown = line is not None and line.index == index
                n = None if leaf is None else self._follow(index, leaf, is_shown=is_shown)
                if line is not None and is_shown:
                    self._check_shown(line, leaf, hashed, is_own=n is not None)
                    line = _next(parts)
        if line is not None:
            raise ProofError(f"entry {line.index} is shown out of the range or of order")
        tree.check(checkpoint.root)
        if self.tags is not None:
            self.tags.places()
        if (self.shown, self._counts) != (manifest.entries, manifest.writers):
            raise ProofError("manifest counts other entries than are shown, do not trust it")

    def _leaves(self) -> Iterator[tuple[bytes | None, bytes]]:
        manifest = self._manifest
        is_whole = manifest.leaves == "all"
        with self._bundle.open(LEAVES if is_whole else HASHES) as file:
            for index in range(manifest.start, manifest.end):
                size = int.from_bytes(file.read(2), "big") if is_whole else HASH_SIZE
                found = file.read(size)
                if len(found) != (LEAF_SIZE if is_whole else HASH_SIZE):
                    raise ProofError(f"leaf {index} of the bundle is cut or missing", index=index)
                yield (found, leaf_hash(found)) if is_whole else (None, found)
            if file.read(1):
                raise ProofError("bundle holds more leaves than its range has, do not trust it")

    def _follow(self, index: int, leaf: bytes, *, is_shown: bool) -> int | None:
        self.writers.follow(index, decode_leaf(leaf))
        n = None if self.tags is None else self.tags.see(index, leaf)
        if n is not None and not is_shown:
            raise ProofError(f"entry {index} is the customer's and is not shown", index=index)
        return n

    def _check_shown(
        self, line: ShownEntry, whole: bytes | None, hashed: bytes, *, is_own: bool
    ) -> None:
        index = line.index
        encoded = whole or line.leaf or b""
        if not compare_digest(leaf_hash(encoded), hashed):
            raise ProofError(f"entry {index} is not the leaf of the tree", index=index)
        leaf = decode_leaf(encoded)
        hashes, event, people = [], None, []
        for place, part in enumerate(line.parts):
            plain = part.open
            hashes.append(_hash_of(part, index))
            if plain is not None and place == 0:
                event = _event(plain[NONCE_SIZE:])
            elif plain is not None:
                people.append(_subject(plain[NONCE_SIZE:]).customer)
        if not hashes or not compare_digest(commit(hashes), leaf.commitment):
            raise ProofError(f"entry {index}: parts are not what it committed to", index=index)
        if not _fits(leaf, event, people, self._manifest):
            raise ProofError(f"entry {index} was not asked for", index=index)
        if self.tags is not None and len(hashes) == 2 and not is_own:  # noqa: PLR2004 - event, one subject
            raise ProofError(f"entry {index}: its tag is not among the customer's", index=index)
        writer = leaf.writer.hex()
        self._counts[writer] = self._counts.get(writer, 0) + 1
        self.shown += 1


def _next(file: IO[bytes]) -> ShownEntry | None:
    line = file.readline(MOST_LINE + 1)
    if len(line) > MOST_LINE:
        raise ProofError("a line of what is shown is too large, do not trust the bundle")
    return _shown(line) if line else None


def _hash_of(part: ShownPart, index: int) -> bytes:
    if (part.open is None) == (part.hash is None):
        raise ProofError(f"entry {index}: a part is neither open nor a hash", index=index)
    hashed = unhex(part.hash or "") if part.open is None else inner_hash(part.open)
    if len(hashed) != HASH_SIZE:
        raise ProofError(f"entry {index}: a hash is cut", index=index)
    return hashed


def _fits(
    leaf: Leaf, event: EventPart | None, people: Sequence[str], manifest: EvidenceManifest
) -> bool:
    """Whether an entry is one that was asked for, as far as its open parts tell."""
    asked = manifest.filter
    customer, agent = asked.get("customer"), asked.get("agent")
    since, until = int(asked.get("since", "0")), int(asked.get("until", str(2**63 - 1)))
    if (customer is not None and customer not in people) or not since <= leaf.at < until:
        return False
    if event is None:
        return not asked.keys() & {"agent", "vendor", "team", "regions"}
    is_agents = agent is None or agent in {event.agent, event.actor}
    is_part = (
        asked.get("vendor") in {None, event.vendor}
        and asked.get("team") in {None, event.team}
        and ("regions" not in asked or event.region in asked["regions"].split(","))
    )
    is_of = event.tenant == manifest.tenant and event.at == leaf.at
    return is_agents and is_part and is_of
