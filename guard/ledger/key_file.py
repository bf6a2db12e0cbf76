"""The private keys of a witness, in a file that needs no keyring.

One key a line, `PRIVATE+KEY+name+id+base64(type || seed)`, as others write signers of notes. Who
holds the file can cosign in the witness's name; it is made for its owner's eyes only.
"""

from pathlib import Path
from secrets import token_bytes

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from guard.durable import create_file, make_folder
from guard.errors import ConfigurationError, ProofError
from guard.ledger.note import (
    NoteSigner,
    SignatureType,
    VerifierKey,
    check_name,
    decode_base64,
    encode_base64,
)

_PREFIX = "PRIVATE+KEY+"
_SEED = 32

# Two keys of 32 bytes and a name.
_MAX_FILE = 8192


def create_key_file(path: Path, name: str, *, ml_dsa: bool) -> NoteSigner:
    """Make a witness's keys: Ed25519, and ML-DSA-44 beside it where asked for.

    Raises:
        ConfigurationError: The name cannot be one, or there is a file already.
    """
    try:
        check_name(name)
    except ProofError as error:
        raise ConfigurationError(str(error)) from None
    second = MLDSA44PrivateKey.from_seed_bytes(token_bytes(_SEED)) if ml_dsa else None
    key = Ed25519PrivateKey.from_private_bytes(token_bytes(_SEED))
    signer = NoteSigner(name, key, second)
    lines = [_line(signer.cosigner, key.private_bytes_raw())]
    if second is not None and signer.second is not None:
        lines.append(_line(signer.second, second.private_bytes_raw()))
    make_folder(path.absolute().parent)
    try:
        create_file(path.absolute(), "".join(lines).encode())
    except FileExistsError:
        raise ConfigurationError(
            f"`{path}` exists: a witness keeps its key, choose another name for a new one"
        ) from None
    return signer


def _line(key: VerifierKey, seed: bytes) -> str:
    encoded = encode_base64(bytes([key.kind]) + seed)
    return f"{_PREFIX}{key.name}+{key.key_id.hex()}+{encoded}\n"


def read_key_file(path: Path) -> NoteSigner:
    """Read what `create_key_file` made.

    Raises:
        ConfigurationError: It cannot be read, others may read it, or it is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE)
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigurationError(f"key file `{path}`: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigurationError(f"key file `{path}` can be read by others: chmod 600")
    try:
        return _signer(content.decode("ascii").splitlines())
    except (ProofError, ValueError):
        raise ConfigurationError(
            f"key file `{path}` is malformed: make one with `guard witness keygen`"
        ) from None


def _signer(lines: list[str]) -> NoteSigner:
    found = dict(_parse(line) for line in lines)
    names = {name for name, _ in found.values()}
    name, seed = found.pop(SignatureType.COSIGNATURE, ("", b""))
    _, second = found.pop(SignatureType.ML_DSA_44, ("", b""))
    if found or len(names) != 1:
        raise ProofError("not one signer's keys")
    signer = NoteSigner(
        name,
        Ed25519PrivateKey.from_private_bytes(seed),
        MLDSA44PrivateKey.from_seed_bytes(second) if second else None,
    )
    # The ids are in the lines so that a changed byte is noticed before it signs.
    again = [_line(signer.cosigner, seed)]
    if signer.second is not None:
        again.append(_line(signer.second, second))
    if [line + "\n" for line in lines] != again:
        raise ProofError("an id is not its key's")
    return signer


def _parse(line: str) -> tuple[SignatureType, tuple[str, bytes]]:
    if not line.startswith(_PREFIX):
        raise ProofError("not a private key")
    name, _, encoded = line.removeprefix(_PREFIX).split("+", 2)
    decoded = decode_base64(encoded)
    return SignatureType(decoded[0] if decoded else 0), (name, decoded[1:])
