"""Signed notes (C2SP signed-note v1.0.0): a text, and lines that sign it.

Three signature types are known: Ed25519 over the text (0x01), the timestamped Ed25519 cosignature
of a witness (0x04, C2SP tlog-cosignature), and ML-DSA-44 (0x06), which signs checkpoints only, for
logs and witnesses alike. Signatures of unknown keys are ignored, as the standard asks, so that keys
can be added and rotated; a bad signature of a known key refuses the note.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from guard.errors import ProofError
from guard.ledger.subtree import subtree_message

# Sixteen post-quantum signatures of 5 kB fit twice; stops a forged note from costing memory.
MAX_NOTE = 256 * 1024

# The standard asks for at least 16.
MAX_SIGNATURES = 64

_KEY_ID_SIZE = 4
_TIME_SIZE = 8
# Of what a log signs itself: it says nothing of when.
_NO_TIME = 0
_DASH = "— "


class SignatureType(IntEnum):
    """The byte that says how a key signs."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    ML_DSA_44 = 0x06


# Whose key a type may be: ML-DSA-44 signs alike for a log and for a witness.
LOG_TYPES = frozenset({SignatureType.ED25519, SignatureType.ML_DSA_44})
WITNESS_TYPES = frozenset({SignatureType.COSIGNATURE, SignatureType.ML_DSA_44})

_PUBLIC_SIZES = {
    SignatureType.ED25519: 32,
    SignatureType.COSIGNATURE: 32,
    SignatureType.ML_DSA_44: 1312,
}


def decode_base64(text: str) -> bytes:
    """Read standard base64 with padding, in its one canonical spelling.

    Raises:
        ProofError: The text is not that.
    """
    try:
        decoded = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        decoded = b""
    if b64encode(decoded).decode() != text:
        raise ProofError("base64 is malformed, fetch the document anew")
    return decoded


def encode_base64(value: bytes) -> str:
    """Write standard base64 with padding."""
    return b64encode(value).decode()


def check_name(name: str) -> str:
    """Check a key name: not empty, no space, no plus, nothing that does not print.

    Raises:
        ProofError: It cannot be the name of a key.
    """
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise ProofError("key name is empty or holds a space or plus, choose another")
    return name


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that may have signed a note."""

    name: str
    kind: SignatureType
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Check the name and length, and derive the key id."""
        check_name(self.name)
        size = _PUBLIC_SIZES[self.kind]
        if len(self.public) != size:
            raise ProofError(f"public key is not {size} bytes long, copy it anew")
        hashed = sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()
        object.__setattr__(self, "key_id", hashed[:_KEY_ID_SIZE])

    def encode(self) -> str:
        """The key as one line of text, `name+id+base64`."""
        encoded = encode_base64(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, text: str, signature: bytes) -> None:
        """Check one signature over `text`.

        Raises:
            ProofError: It is not this key's.
        """
        try:
            self._verify(text, signature)
        except InvalidSignature:
            raise ProofError(f"signature of `{self.name}` does not hold, do not trust it") from None

    def _verify(self, text: str, signature: bytes) -> None:
        if self.kind is SignatureType.ED25519:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
            return
        seconds, signed = int.from_bytes(signature[:_TIME_SIZE], "big"), signature[_TIME_SIZE:]
        if self.kind is SignatureType.COSIGNATURE:
            message = cosigned_message(text, seconds)
            Ed25519PublicKey.from_public_bytes(self.public).verify(signed, message)
        else:
            message = subtree_message(self.name, seconds, text)
            MLDSA44PublicKey.from_public_bytes(self.public).verify(signed, message)


def parse_vkey(text: str) -> VerifierKey:
    """Read `VerifierKey.encode`'s form.

    Raises:
        ProofError: The text is no key of a known type, or its id is not its own.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 - name, id and key
        raise ProofError("verifier key is not `name+id+base64`, copy it anew")
    encoded = decode_base64(parts[2])
    try:
        kind = SignatureType(encoded[0] if encoded else 0)
    except ValueError:
        raise ProofError(f"verifier key of `{parts[0]}` has an unknown type, use Ed25519") from None
    key = VerifierKey(parts[0], kind, encoded[1:])
    if key.key_id.hex() != parts[1]:
        raise ProofError(f"verifier key of `{parts[0]}` has a wrong id, copy it anew")
    return key


def cosigned_message(text: str, seconds: int) -> bytes:
    """What a witness signs: a line with the time in seconds, then the checkpoint's text."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


class NoteSigner:
    """Signs notes under a name with an Ed25519 key, and checkpoints with an ML-DSA-44 key too."""

    def __init__(
        self, name: str, key: Ed25519PrivateKey, second: MLDSA44PrivateKey | None = None
    ) -> None:
        """Sign as `name` with `key`, and checkpoints with `second` where there is one."""
        self._key, self._second = key, second
        public = key.public_key().public_bytes_raw()
        self.verifier = VerifierKey(name, SignatureType.ED25519, public)
        self.cosigner = VerifierKey(name, SignatureType.COSIGNATURE, public)
        self.second: VerifierKey | None = None
        if second is not None:
            public = second.public_key().public_bytes_raw()
            self.second = VerifierKey(name, SignatureType.ML_DSA_44, public)

    @property
    def vkey(self) -> str:
        """The public key to hand to those who verify."""
        return self.verifier.encode()

    def sign(self, text: str) -> str:
        """A signature line over `text`."""
        return _line(self.verifier, self._key.sign(text.encode()))

    def sign_checkpoint(self, text: str) -> list[str]:
        """The log's own signature lines over a checkpoint's `text`."""
        return [self.sign(text), *self._second_lines(text, _NO_TIME)]

    def cosign(self, text: str, seconds: int) -> str:
        """A witness's signature lines over a checkpoint's `text`, at a time since the epoch."""
        signature = self._key.sign(cosigned_message(text, seconds))
        line = _line(self.cosigner, seconds.to_bytes(_TIME_SIZE, "big") + signature)
        return "".join([line, *self._second_lines(text, seconds)])

    def _second_lines(self, text: str, seconds: int) -> list[str]:
        if self._second is None or self.second is None:
            return []
        signature = self._second.sign(subtree_message(self.second.name, seconds, text))
        return [_line(self.second, seconds.to_bytes(_TIME_SIZE, "big") + signature)]


def _line(key: VerifierKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {encode_base64(key.key_id + signature)}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, taken apart."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note, parsed and not yet to be trusted."""

    text: str
    signatures: tuple[NoteSignature, ...]


def write_note(text: str, lines: Sequence[str]) -> bytes:
    """Put signature lines under a text that ends in a newline."""
    return (text + "\n" + "".join(lines)).encode()


def parse_note(note: bytes) -> Note:
    """Take a note apart without checking a signature.

    Raises:
        ProofError: The bytes are no signed note, or too large.
    """
    if len(note) > MAX_NOTE:
        raise ProofError(f"note is larger than {MAX_NOTE} bytes, fetch it anew")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise ProofError("note is not UTF-8, fetch it anew") from None
    if any(c < " " and c != "\n" for c in whole):
        raise ProofError("note holds a control character, fetch it anew")
    text, blank, block = whole.rpartition("\n\n")
    lines = block.split("\n")
    if not blank or lines.pop() or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise ProofError("note has no block of signature lines, fetch it anew")
    return Note(text + "\n", tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> NoteSignature:
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2:  # noqa: PLR2004 - name and signature
        raise ProofError("signature line is malformed, fetch the note anew")
    decoded = decode_base64(parts[1])
    if len(decoded) <= _KEY_ID_SIZE:
        raise ProofError("signature line is too short, fetch the note anew")
    return NoteSignature(check_name(parts[0]), decoded[:_KEY_ID_SIZE], decoded[_KEY_ID_SIZE:])


def line_of(signature: NoteSignature) -> str:
    """A signature, parsed, as a line again."""
    encoded = encode_base64(signature.key_id + signature.signature)
    return f"{_DASH}{signature.name} {encoded}\n"


def signed_by(note: Note, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Which of `keys` signed the note, in the order of its lines.

    Raises:
        ProofError: A line claims to be one of the keys' and is not.
    """
    found = []
    for line in note.signatures:
        for key in keys:
            if (line.name, line.key_id) == (key.name, key.key_id):
                key.verify(note.text, line.signature)
                found.append(key)
    return found


def open_note(note: bytes, keys: Sequence[VerifierKey]) -> str:
    """The text of a note that at least one of `keys` signed.

    Raises:
        ProofError: The note is malformed, a known key's signature is bad, or no known key signed.
    """
    parsed = parse_note(note)
    if not signed_by(parsed, keys):
        raise ProofError("no known key signed this note, check the verifier key you were given")
    return parsed.text
