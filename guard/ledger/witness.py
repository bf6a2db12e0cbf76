"""A witness: cosigns a log's checkpoints as long as each continues the last (C2SP tlog-witness).

Anybody can run one: a security team, an auditor, a customer. It keeps one checkpoint per log, and
never cosigns two that contradict each other; so all who ask for its cosignature see one history.
This module is the state machine and its file; it speaks no HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

import msgspec

from guard.clock import SECOND, Micros
from guard.durable import create_file, make_folder, replace_file
from guard.errors import ConfigurationError, DurabilityError, ProofError
from guard.ledger.checkpoint import Checkpoint, parse_lines, parse_number
from guard.ledger.merkle import EMPTY_ROOT, MAX_PROOF, verify_consistency
from guard.ledger.note import (
    Note,
    NoteSigner,
    VerifierKey,
    decode_base64,
    line_of,
    parse_note,
    write_note,
)

# A proof of 63 hashes and a note.
MAX_REQUEST = 512 * 1024

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


class _Seen(msgspec.Struct, frozen=True):
    """The newest checkpoint cosigned for one log."""

    size: int
    root: bytes
    # As it is shown to monitors: with the log's signature and ours. Older memories have none.
    note: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer to a submission, in the words of HTTP."""

    status: int
    content_type: str
    body: bytes


def _refusal(status: int, why: str) -> Answer:
    return Answer(status, TEXT_TYPE, (why + "\n").encode())


def begin_memory(path: Path) -> None:
    """Make the memory of a witness that has cosigned nothing yet.

    Once, with its key and never again: a witness that forgot what it cosigned must not go on.

    Raises:
        FileExistsError: There is one; it is left as it is.
    """
    make_folder(path.absolute().parent)
    create_file(path.absolute(), msgspec.json.encode({}))


class Witness:
    """Cosigns for the logs it knows. Its file is its memory, and is written before it answers."""

    def __init__(self, signer: NoteSigner, logs: Mapping[str, VerifierKey], state: Path) -> None:
        """Cosign as `signer` for `logs`, by origin, remembering in the file `state`.

        Raises:
            ConfigurationError: There is no such file, or it is no witness's memory.
        """
        self._signer, self._logs, self._path = signer, dict(logs), state
        self._hashes = {sha256(origin.encode()).hexdigest(): origin for origin in logs}
        self._lock, self._lost = Lock(), False
        self._seen = self._load()

    def _load(self) -> dict[str, _Seen]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Seen])
        except FileNotFoundError:
            raise ConfigurationError(
                f"witness state `{self._path}` is gone: starting anew could cosign a second"
                " history, make another witness with `guard witness keygen` in another folder"
            ) from None
        except msgspec.MsgspecError:
            raise ConfigurationError(
                f"witness state `{self._path}` is malformed, restore it: starting anew could cosign"
                " a second history"
            ) from None

    def size_of(self, origin: str) -> int:
        """The size last cosigned for a log, 0 if none."""
        seen = self._seen.get(origin)
        return 0 if seen is None else seen.size

    def checkpoint(self, origin_hash: str) -> bytes | None:
        """The newest cosigned checkpoint of the log whose origin has this SHA-256 in hex.

        Whoever sees one history can compare it with this one, signed by the log itself.
        """
        origin = self._hashes.get(origin_hash, "")
        seen = self._seen.get(origin)
        return None if seen is None else seen.note or None

    def add_checkpoint(self, request: bytes, now: Micros) -> Answer:
        """Answer one `add-checkpoint` request made at `now`.

        200 with a cosignature; 400 malformed, or an old size beyond the checkpoint; 403 not signed
        by the log; 404 unknown log; 409 with the size held where the old size differs, or another
        root at that size; 422 the proof does not hold.

        Raises:
            OSError: It could not be remembered, for a reason that passes.
            DurabilityError: A disk lost what it took; nothing is cosigned until a new start.
        """
        try:
            old, proof, note = _parse_request(request)
            checkpoint = parse_lines(note.text)
        except ProofError as error:
            return _refusal(400, str(error))
        key = self._logs.get(checkpoint.origin)
        if key is None:
            return _refusal(404, "log is unknown to this witness")
        signed = _lines_of(note, key)
        if not signed:
            return _refusal(403, "log did not sign this checkpoint")
        if old > checkpoint.size:
            return _refusal(400, "old size is greater than the checkpoint's")
        # INVARIANT: comparing with what is held and holding the new one is one step, or an older
        # checkpoint could overwrite a newer one.
        with self._lock:
            refusal = self._compare(old, proof, checkpoint)
            if refusal is not None:
                return refusal
            line = self._signer.cosign(note.text, now // SECOND)
            whole = write_note(note.text, [*signed, line])
            self._keep(checkpoint.origin, _Seen(checkpoint.size, checkpoint.root, whole))
        return Answer(200, TEXT_TYPE, line.encode())

    def _compare(self, old: int, proof: list[bytes], checkpoint: Checkpoint) -> Answer | None:
        """Why a checkpoint does not continue the last one; None: it does."""
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            return _refusal(422, "a log of no entries has another root")
        seen = self._seen.get(checkpoint.origin)
        held = 0 if seen is None else seen.size
        root = EMPTY_ROOT if seen is None else seen.root
        if old != held or (old == checkpoint.size and root != checkpoint.root):
            return Answer(409, SIZE_TYPE, f"{held}\n".encode())
        try:
            verify_consistency(old, checkpoint.size, proof, root, checkpoint.root)
        except ProofError as error:
            return _refusal(422, str(error))
        return None

    def _keep(self, origin: str, newest: _Seen) -> None:
        seen = {**self._seen, origin: newest}
        if self._lost:
            raise DurabilityError("a disk failed to keep a file, look at it and start again")
        try:
            replace_file(self._path, msgspec.json.encode(seen))
        except DurabilityError:
            self._lost = True
            raise
        self._seen = seen


def _lines_of(note: Note, key: VerifierKey) -> list[str]:
    """The lines in which `key` signed the note; none if one of them does not hold."""
    found = []
    for one in note.signatures:
        if (one.name, one.key_id) == (key.name, key.key_id):
            try:
                key.verify(note.text, one.signature)
            except ProofError:
                return []
            found.append(line_of(one))
    return found


def _parse_request(request: bytes) -> tuple[int, list[bytes], Note]:
    if len(request) > MAX_REQUEST:
        raise ProofError(f"request is larger than {MAX_REQUEST} bytes")
    head, blank, rest = request.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofError("request is not ASCII before its checkpoint") from None
    if not blank or not lines[0].startswith("old "):
        raise ProofError("request does not begin with an old size and a proof")
    if len(lines) - 1 > MAX_PROOF:
        raise ProofError(f"proof has more than {MAX_PROOF} hashes")
    old = parse_number(lines[0].removeprefix("old "))
    return old, [decode_base64(line) for line in lines[1:]], parse_note(rest)
