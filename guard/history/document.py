"""A page of a customer's history as a document: signed, to be kept, and checked by anybody.

A signed note, as the manifest of an export is. Its first line names the format, its second is one
JSON object: the exact bytes that were signed are the ones that are kept. It is signed with the key
of exports, never with the log's.
"""

import msgspec

from guard.errors import ProofError
from guard.ledger.note import NoteSigner, VerifierKey, open_note, write_note

HEADER = "recordguard-history/v1"


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act. `entry` is its id in the log; `clear` is null where nobody knows."""

    entry: str
    at: str
    act: str
    purpose: str
    channel: str
    role: str
    clear: bool | None


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One page, newest act first.

    `origin`, `size` and `root` name the log and the state of its tree that was read. `complete` is
    false where an older page follows. `notice` is the operator's sentence about what is held back.
    """

    origin: str
    size: int
    root: str
    customer: str
    as_of: str
    statement: str
    notice: str
    complete: bool
    rows: tuple[HistoryRow, ...]


def sign_history(document: HistoryDocument, signer: NoteSigner) -> bytes:
    """The document as a signed note."""
    text = f"{HEADER}\n{msgspec.json.encode(document).decode()}\n"
    return write_note(text, [signer.sign(text)])


def open_history(note: bytes, key: VerifierKey) -> HistoryDocument:
    """Read a document that `key` signed.

    Raises:
        ProofError: It is malformed, or not signed with that key.
    """
    header, _, text = open_note(note, [key]).partition("\n")
    if header != HEADER:
        raise ProofError(f"note is no history, its first line must be `{HEADER}`")
    try:
        return msgspec.json.decode(text, type=HistoryDocument)
    except msgspec.MsgspecError:
        raise ProofError("history is malformed, ask for it anew") from None
