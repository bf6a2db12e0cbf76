"""A history as a document, a customer's or one's own: signed, to be kept, checked by anybody.

A signed note, as the manifest of an export is. Its first line names the format, its second is one
JSON object: the exact bytes that were signed are the ones that are kept. It is signed with the key
of exports, never with the log's.
"""

from collections.abc import Mapping

import msgspec

from guard.errors import ProofError
from guard.ledger.note import NoteSigner, VerifierKey, open_note, write_note

HEADER = "recordguard-history/v1"
OWN_HEADER = "recordguard-own-history/v1"


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


class OwnHistoryDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is logged about `person`, who works here.

    `origin`, `size` and `root` are those of `HistoryDocument`; `history` is what was answered, word
    for word.
    """

    origin: str
    size: int
    root: str
    person: str
    as_of: str
    history: Mapping[str, object]


def sign_history(document: HistoryDocument | OwnHistoryDocument, signer: NoteSigner) -> bytes:
    """The document as a signed note."""
    header = HEADER if isinstance(document, HistoryDocument) else OWN_HEADER
    text = f"{header}\n{msgspec.json.encode(document).decode()}\n"
    return write_note(text, [signer.sign(text)])


def open_history(note: bytes, key: VerifierKey) -> HistoryDocument | OwnHistoryDocument:
    """Read a document that `key` signed.

    Raises:
        ProofError: It is malformed, or not signed with that key.
    """
    header, _, text = open_note(note, [key]).partition("\n")
    try:
        if header == HEADER:
            return msgspec.json.decode(text, type=HistoryDocument)
        if header == OWN_HEADER:
            return msgspec.json.decode(text, type=OwnHistoryDocument)
    except msgspec.MsgspecError:
        raise ProofError("history is malformed, ask for it anew") from None
    raise ProofError(f"note is no history, its first line must be `{HEADER}` or `{OWN_HEADER}`")
