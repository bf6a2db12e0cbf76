import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ProofError
from guard.ledger import note
from guard.ledger.note import NoteSigner, SignatureType, VerifierKey
from tests.support.witnesses import make_signer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = NoteSigner("example.com/log", KEY)
TEXT = "first\n\nthird\n"


def test_a_note_that_was_written_opens() -> None:
    whole = note.write_note(TEXT, [SIGNER.sign(TEXT)])
    assert note.open_note(whole, [SIGNER.verifier]) == TEXT


def test_two_keys_may_share_a_name() -> None:
    other = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    whole = note.write_note(TEXT, [other.sign(TEXT), SIGNER.sign(TEXT)])
    for keys in ([SIGNER.verifier], [other.verifier], [SIGNER.verifier, other.verifier]):
        assert note.open_note(whole, keys) == TEXT


def test_a_cosignature_holds_for_its_time_only() -> None:
    line = SIGNER.cosign(TEXT, 1679315147)
    whole = note.write_note(TEXT, [line])
    assert note.open_note(whole, [SIGNER.cosigner]) == TEXT
    parsed = note.parse_note(whole).signatures[0].signature
    later = (1679315148).to_bytes(8, "big") + parsed[8:]
    with pytest.raises(ProofError):
        SIGNER.cosigner.verify(TEXT, later)
    with pytest.raises(ProofError):
        SIGNER.verifier.verify(TEXT, parsed)


def test_a_note_without_a_known_key_is_refused() -> None:
    whole = note.write_note(TEXT, [SIGNER.sign(TEXT)])
    with pytest.raises(ProofError, match="no known key"):
        note.open_note(whole, [])
    with pytest.raises(ProofError, match="no known key"):
        note.open_note(whole, [SIGNER.cosigner])


@pytest.mark.parametrize(
    ("whole", "why"),
    [
        (b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n", "UTF-8"),
        (b"a" * (note.MAX_NOTE + 1), "larger"),
        (b"a\x01\n\n\xe2\x80\x94 a AAAAAAAA\n", "control"),
    ],
)
def test_bytes_that_are_no_note_are_refused(whole: bytes, why: str) -> None:
    with pytest.raises(ProofError, match=why):
        note.parse_note(whole)


def test_a_key_round_trips_as_text() -> None:
    for key in (SIGNER.verifier, SIGNER.cosigner):
        assert note.parse_vkey(key.encode()) == key
    assert note.parse_vkey(SIGNER.vkey).kind is SignatureType.ED25519


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+b",
        "a+00000000+",
        "a+00000000+AQ==",
        "a+00000000+" + note.encode_base64(b"\x01" + bytes(32)),
        "a+00000000+" + note.encode_base64(b"\x02" + bytes(32)),
        "a+00000000+" + note.encode_base64(b"\x01" + bytes(31)),
        "a+00000000+" + note.encode_base64(b"\x01" + bytes(33)),
        SIGNER.vkey.replace("example", "Example"),
        SIGNER.vkey.upper(),
        SIGNER.vkey + "=",
        SIGNER.vkey[:-1],
        "+" + SIGNER.vkey.split("+", 1)[1],
        " " + SIGNER.vkey,
        SIGNER.vkey + "\n",
        SIGNER.vkey.replace("+", "-", 1),
    ],
)
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        note.parse_vkey(text)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\tb", "a\u200eb", "\n"]
)
def test_a_name_that_no_key_may_have_is_refused(name: str) -> None:
    with pytest.raises(ProofError):
        VerifierKey(name, SignatureType.ED25519, bytes(32))


@pytest.mark.parametrize(
    "text", ["AA", "AA=", "AA==A", "A A=", "AB==", "AA==\n", "__--", "é", "===="]
)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(ProofError):
        note.decode_base64(text)


def test_base64_round_trips() -> None:
    for value in (b"", b"a", b"ab", b"abc", bytes(range(256))):
        assert note.decode_base64(note.encode_base64(value)) == value


GOOD = SIGNER.sign(TEXT)


@pytest.mark.parametrize(
    "block",
    [
        "",
        GOOD[:-1],
        GOOD + "\n",
        GOOD * (note.MAX_SIGNATURES + 1),
        GOOD.replace("\u2014", "-"),
        GOOD.replace("\u2014 ", "\u2014  "),
        GOOD[:-1] + " x\n",
        "\u2014 a AAAA\n",
        "\u2014 a AAAAAA==\n",
        "\u2014 a+b AAAAAAAA\n",
        "\u2014  AAAAAAAA\n",
        "\u2014 a AAAAAAA\n",
    ],
    ids=range(12),
)
def test_a_malformed_block_of_signatures_is_refused(block: str) -> None:
    with pytest.raises(ProofError):
        note.parse_note(note.write_note(TEXT, [block]))


def test_a_bad_line_of_a_known_key_refuses_the_whole_note() -> None:
    forged = SIGNER.sign("other\n")
    for lines in ([forged], [GOOD, forged], [forged, GOOD]):
        with pytest.raises(ProofError, match="does not hold"):
            note.open_note(note.write_note(TEXT, lines), [SIGNER.verifier])


CHECKPOINT = "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
BOTH = make_signer("example.com/log", 3, ml_dsa=True)


def test_a_second_key_signs_checkpoints_beside_the_first() -> None:
    assert BOTH.second is not None
    whole = note.write_note(CHECKPOINT, BOTH.sign_checkpoint(CHECKPOINT))
    keys = [BOTH.verifier, BOTH.second]
    assert note.signed_by(note.parse_note(whole), keys) == keys
    # Who knows one of the two ignores the other, as who knows neither of ML-DSA's does.
    for key in keys:
        assert note.open_note(whole, [key]) == CHECKPOINT
    assert note.parse_vkey(BOTH.second.encode()) == BOTH.second
    assert len(BOTH.second.public) == 1312


def test_a_note_of_one_key_has_one_line() -> None:
    assert SIGNER.second is None
    assert SIGNER.sign_checkpoint(CHECKPOINT) == [SIGNER.sign(CHECKPOINT)]


def test_a_second_signature_holds_for_its_name_and_time_only() -> None:
    assert BOTH.second is not None
    line = BOTH.cosign(CHECKPOINT, 1679315147).splitlines(keepends=True)[1]
    parsed = note.parse_note(note.write_note(CHECKPOINT, [line])).signatures[0]
    BOTH.second.verify(CHECKPOINT, parsed.signature)
    renamed = VerifierKey("example.com/other", SignatureType.ML_DSA_44, BOTH.second.public)
    later = (1679315148).to_bytes(8, "big") + parsed.signature[8:]
    for key, text, signature in (
        (renamed, CHECKPOINT, parsed.signature),
        (BOTH.second, CHECKPOINT, later),
        (BOTH.second, CHECKPOINT, parsed.signature[:-1]),
        (BOTH.second, CHECKPOINT, b""),
        (BOTH.second, CHECKPOINT.replace("log", "lag"), parsed.signature),
        (BOTH.second, "no checkpoint\n", parsed.signature),
    ):
        with pytest.raises(ProofError):
            key.verify(text, signature)


def test_a_line_is_the_same_after_it_was_parsed() -> None:
    whole = note.write_note(TEXT, [GOOD])
    assert note.line_of(note.parse_note(whole).signatures[0]) == GOOD
