import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.history.document import (
    HEADER,
    OWN_HEADER,
    HistoryDocument,
    OwnHistoryDocument,
    open_history,
    sign_history,
)
from guard.ledger.note import NoteSigner, write_note

SIGNER = NoteSigner("o/exports", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
DOCUMENT = HistoryDocument(
    origin="o/exports",
    size=3,
    root="ab" * 32,
    customer="r1",
    as_of="2026-09-22T10:00:00.000000Z",
    statement="as far as the law lets us tell",
    notice="",
    complete=True,
    rows=(),
)


def test_a_document_comes_back_as_it_was_signed() -> None:
    note = sign_history(DOCUMENT, SIGNER)
    assert note.startswith(HEADER.encode() + b"\n{")
    assert sign_history(DOCUMENT, SIGNER) == note
    assert open_history(note, SIGNER.verifier) == DOCUMENT


OWN = OwnHistoryDocument(
    origin="o/exports",
    size=3,
    root="ab" * 32,
    person="a1",
    as_of="2026-09-22T10:00:00.000000Z",
    history={"look_ups": [{"role": "an auditor"}], "retention": "r"},
)


def test_ones_own_comes_back_too_and_is_no_customers() -> None:
    note = sign_history(OWN, SIGNER)
    assert note.startswith(OWN_HEADER.encode() + b"\n{")
    assert open_history(note, SIGNER.verifier) == OWN
    text = f"{HEADER}\n" + note.decode().split("\n")[1] + "\n"
    with pytest.raises(ProofError):
        open_history(write_note(text, [SIGNER.sign(text)]), SIGNER.verifier)


def test_another_note_of_the_same_key_is_no_history() -> None:
    for text in ("recordguard-export/v1\n{}\n", f"{HEADER}\nno json\n", f"{HEADER}\n{{}}\n"):
        with pytest.raises(ProofError):
            open_history(write_note(text, [SIGNER.sign(text)]), SIGNER.verifier)


def test_every_changed_byte_of_the_text_is_found() -> None:
    note = sign_history(DOCUMENT, SIGNER)
    end = note.index(b"\n\n")
    for place in range(0, end, 7):
        changed = note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :]
        with pytest.raises(ProofError):
            open_history(changed, SIGNER.verifier)
