"""Warm-up files: a finished stretch of a floor, sealed in the data folder, named by its digest.

Detectors that start with nothing would need weeks to learn what is normal. A company's old log is
given to them once, as a file that an entry names by digest, so that a replay reads the same. The
file holds ids of agents and customers; it is sealed by the vault like an entry's event part, so
that it cannot be read without the keys and dies with its epoch.

File: one line of JSON (`{"v": 1, "tenant", "epoch"}`), then the sealed bytes of `encode`.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from guard.clock import Micros
from guard.errors import InvalidRequestError, ProofError
from guard.events import (
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    FloorEvent,
    History,
    ProfileEvent,
    ReviewEvent,
)
from guard.ports import DetailVault

VERSION = 1
# The vault binds sealed bytes to an entry id of this size; a file is bound to its own digest.
ID_BYTES = 16


class _Plain(msgspec.Struct, array_like=True):
    """A history by kind of event; each list in its own order, `order` puts them together again."""

    v: int
    profiles: tuple[AgentProfile, ...]
    accesses: tuple[AccessEvent, ...]
    cases: tuple[CaseEvent, ...]
    assignments: tuple[AssignmentEvent, ...]
    moves: tuple[ProfileEvent, ...]
    reviews: tuple[ReviewEvent, ...]


class _Header(msgspec.Struct):
    v: int
    tenant: str
    epoch: str


def encode(history: History) -> bytes:
    """The exact bytes that the digest is of."""
    events = history.events
    plain = _Plain(
        v=VERSION,
        profiles=tuple(history.profiles),
        accesses=tuple(e for e in events if isinstance(e, AccessEvent)),
        cases=tuple(e for e in events if isinstance(e, CaseEvent)),
        assignments=tuple(e for e in events if isinstance(e, AssignmentEvent)),
        moves=tuple(e for e in events if isinstance(e, ProfileEvent)),
        reviews=tuple(e for e in events if isinstance(e, ReviewEvent)),
    )
    return msgspec.msgpack.encode(plain)


def decode(plain: bytes) -> History:
    """Read what `encode` wrote.

    Raises:
        InvalidRequestError: It is of another release, or damaged.
    """
    try:
        found = msgspec.msgpack.decode(plain, type=_Plain)
    except msgspec.DecodeError:
        found = None
    if found is None or found.v != VERSION:
        raise InvalidRequestError("the baseline is of another release: add it again")
    events: list[FloorEvent] = [
        *found.moves,
        *found.cases,
        *found.assignments,
        *found.accesses,
        *found.reviews,
    ]
    return History(profiles=found.profiles, events=tuple(sorted(events, key=lambda e: e.ts)))


def digest_of(plain: bytes) -> str:
    """What an entry calls the file by."""
    return hashlib.sha256(plain).hexdigest()


def write(folder: Path, vault: DetailVault, tenant: str, at: Micros, plain: bytes) -> str:
    """Seal and store; returns the digest. It is on disk before any entry can name it."""
    digest = digest_of(plain)
    epoch, sealed = vault.seal_event(tenant, at, _id(digest), plain)
    header = msgspec.json.encode(_Header(v=VERSION, tenant=tenant, epoch=epoch))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / f"{digest}.part"
    with unfinished.open("wb") as file:
        file.write(header + b"\n" + sealed)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / digest)
    return digest


def read(folder: Path, vault: DetailVault, tenant: str, digest: str) -> History:
    """Open the file that an entry names.

    Raises:
        InvalidRequestError: There is no such file of this tenant.
        ProofError: It is not what the entry named.
        KeyUnavailableError: Its key is gone.
    """
    # The name comes out of an entry; nothing but hex may become a path.
    if len(digest) != 2 * hashlib.sha256().digest_size or not digest.isalnum():
        raise InvalidRequestError("a baseline is named by 64 hex digits")
    try:
        header, _, sealed = (folder / digest).read_bytes().partition(b"\n")
        found = msgspec.json.decode(header, type=_Header)
    except (OSError, msgspec.DecodeError):
        raise InvalidRequestError(
            f"baseline {digest[:12]} is not in the data folder: restore it from its backup"
        ) from None
    if found.tenant != tenant:
        raise InvalidRequestError(f"baseline {digest[:12]} is another tenant's")
    plain = vault.open_event(tenant, found.epoch, _id(digest), sealed)
    if digest_of(plain) != digest:
        raise ProofError(f"baseline {digest[:12]} was changed: restore it from its backup")
    return decode(plain)


def _id(digest: str) -> bytes:
    return bytes.fromhex(digest)[:ID_BYTES]
