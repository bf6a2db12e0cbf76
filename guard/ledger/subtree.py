"""What an ML-DSA-44 signature of a checkpoint signs (`cosigned_message` of C2SP tlog-cosignature).

Unlike an Ed25519 cosignature it commits to the signer's name, and not to extension lines. The log
itself signs so too, with the time 0: it then says that the tree is consistent with all it signed,
and nothing of when.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64

from guard.errors import ProofError

_LABEL = b"subtree/v1\n\0"
_HASH_SIZE = 32

# A name stands behind one byte of length.
_MAX_NAME = 0xFF


def subtree_message(signer: str, seconds: int, text: str) -> bytes:
    """The bytes to sign for the checkpoint `text` as `signer`, at `seconds` since the epoch.

    Raises:
        ProofError: The text is no checkpoint, or a name in it is too long.
    """
    origin, size, root = _parse(text)
    names = [name.encode() for name in (signer, origin)]
    if not all(1 <= len(name) <= _MAX_NAME for name in names):
        raise ProofError(f"a name has more than {_MAX_NAME} bytes, ML-DSA-44 cannot sign for it")
    by, of = (bytes([len(name)]) + name for name in names)
    start_end = (0).to_bytes(8, "big") + size.to_bytes(8, "big")
    return _LABEL + by + seconds.to_bytes(8, "big") + of + start_end + root


def _parse(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root; `checkpoint.parse_text` judges how they are spelt."""
    try:
        origin, size, encoded, *_ = text.split("\n")
        root = a2b_base64(encoded, strict_mode=True)
        number = int(size)
    except (ValueError, Base64Error):
        number, origin, root = -1, "", b""
    if len(root) != _HASH_SIZE or not 0 <= number < 1 << 63:
        raise ProofError("an ML-DSA-44 signature stands under something that is no checkpoint")
    return origin, number, root
