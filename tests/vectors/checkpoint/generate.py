"""Write the checkpoint vectors of this folder, assembled by hand from the standard's words.

`python -m tests.vectors.checkpoint.generate` rewrites `checkpoints.json`; a test compares it with
what is committed. Only the Ed25519 signature itself comes from a library.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = Path(__file__).parent
ORIGIN = "example.com/guarded"
SIZE = 20852163
ROOT = sha256(b"a root").digest()
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))


def b64(value: bytes) -> str:
    return b64encode(value).decode()


def key_id(name: str, kind: int, key: Ed25519PrivateKey) -> bytes:
    public = key.public_key().public_bytes_raw()
    return sha256(name.encode() + b"\x0a" + bytes([kind]) + public).digest()[:4]


def vkey(name: str, kind: int, key: Ed25519PrivateKey) -> str:
    public = key.public_key().public_bytes_raw()
    return f"{name}+{key_id(name, kind, key).hex()}+{b64(bytes([kind]) + public)}"


def line(text: str, name: str = ORIGIN, key: Ed25519PrivateKey = LOG) -> str:
    return f"\u2014 {name} {b64(key_id(name, 1, key) + key.sign(text.encode()))}\n"


def cosignature(text: str, name: str, time: int) -> str:
    signed = WITNESS.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return f"\u2014 {name} {b64(key_id(name, 4, WITNESS) + time.to_bytes(8, 'big') + signed)}\n"


def body(size: str = str(SIZE), root: str = "", origin: str = ORIGIN, rest: str = "") -> str:
    return f"{origin}\n{size}\n{root or b64(ROOT)}\n{rest}"


def good() -> Iterator[tuple[str, str]]:
    """Notes that must be accepted."""
    text = body()
    yield "one signature", text + "\n" + line(text)
    yield "another signature first", text + "\n" + line(text, "else", STRANGER) + line(text)
    yield "a cosignature", text + "\n" + line(text) + cosignature(text, "w.example/1", 1679315147)
    many = "".join(line(text, f"w{n}", STRANGER) for n in range(16))
    yield "seventeen signatures", text + "\n" + many + line(text)
    extended = body(rest="an extension\nand another\n")
    yield "extension lines", extended + "\n" + line(extended)
    stranger = f"\u2014 {ORIGIN} {b64(b'abcd' + bytes(64))}\n"
    yield "our name with another key id", text + "\n" + stranger + line(text)


def bad() -> Iterator[tuple[str, str]]:
    """Notes that must be refused."""
    text = body()
    sig = line(text)
    whole = text + "\n" + sig
    yield "empty", ""
    yield "a newline", "\n"
    yield "two newlines", "\n\n"
    yield "no signature", text + "\n"
    yield "no blank line", text + sig
    yield "no last newline", whole[:-1]
    yield "a second last newline", whole + "\n"
    yield "text after the signatures", whole + "x\n"
    yield "only a stranger signed", text + "\n" + line(text, "else", STRANGER)
    yield "a stranger under our name", text + "\n" + line(text, ORIGIN, STRANGER)
    forged = f"\u2014 {ORIGIN} {b64(key_id(ORIGIN, 1, LOG) + STRANGER.sign(text.encode()))}\n"
    yield "a stranger under our name and key id", text + "\n" + forged
    yield "a forged line beside a good one", whole + forged
    yield "a signature of 63 bytes", text + "\n" + _cut(text)
    yield "a key id and nothing else", text + f"\n\u2014 {ORIGIN} {b64(key_id(ORIGIN, 1, LOG))}\n"
    yield "a hyphen for the dash", text + "\n" + sig.replace("\u2014", "-")
    yield "two spaces", text + "\n" + sig.replace("\u2014 ", "\u2014  ")
    yield "no name", text + "\n" + sig.replace(ORIGIN, "")
    yield "a plus in the name", text + "\n" + sig.replace(ORIGIN, "a+b") + sig
    yield "a third word", text + "\n" + sig[:-1] + " x\n"
    yield "base64 without padding", text + "\n" + sig.replace("=", "")
    yield "base64 with a stray character", text + "\n" + sig[:-4] + "*" + sig[-3:]
    yield "url base64", text + "\n" + f"\u2014 {ORIGIN} __--\n" + sig
    yield "a tab", whole.replace(ORIGIN, ORIGIN + "\t")
    yield "a carriage return", whole.replace("\n", "\r\n")
    yield (
        "65 signatures",
        text + "\n" + sig + "".join(line(text, f"w{n}", STRANGER) for n in range(64)),
    )
    for what, other in bad_bodies():
        yield what, other + "\n" + line(other)
    for at in range(0, len(text), 3):
        yield f"text changed at {at}", text[:at] + "~" + text[at + 1 :] + "\n" + sig


def _cut(text: str) -> str:
    return f"\u2014 {ORIGIN} {b64(key_id(ORIGIN, 1, LOG) + LOG.sign(text.encode())[:-1])}\n"


def bad_bodies() -> Iterator[tuple[str, str]]:
    """Texts that a log signed and that are no checkpoint of it all the same."""
    yield "one line", ORIGIN + "\n"
    yield "two lines", f"{ORIGIN}\n{SIZE}\n"
    yield "an empty origin", body(origin="")
    yield "another origin", body(origin="example.com/other")
    yield "an origin with more behind it", body(origin=ORIGIN + "/2")
    for size in ("", "-1", "+1", "01", "00", "1e3", "0x10", "1 ", " 1", "1_000", "\u0661", "1.0"):
        yield f"size `{size}`", body(size=size)
    yield "size 2**63", body(size=str(2**63))
    yield "size of 5000 digits", body(size="9" * 5000)
    yield "size 0 with a root", body(size="0")
    yield "root of 31 bytes", body(root=b64(ROOT[:31]))
    yield "root of 33 bytes", body(root=b64(ROOT + b"x"))
    yield "root in hex", body(root=ROOT.hex())
    yield "root without padding", body(root=b64(ROOT).rstrip("="))
    yield "root with loose last bits", body(root=b64(ROOT)[:-2] + "h=")
    yield "root with a space", body(root=" " + b64(ROOT))
    yield "an empty extension line", body(rest="\n")
    yield "an empty line between", body(rest="a\n\nb\n")


def document() -> str:
    """All cases as the text of `checkpoints.json`, one case a line."""
    head = {
        "origin": ORIGIN,
        "size": SIZE,
        "root": ROOT.hex(),
        "vkey": vkey(ORIGIN, 1, LOG),
        "witness_vkey": vkey("w.example/1", 4, WITNESS),
    }
    lines = [f' "{name}": {json.dumps(value)}' for name, value in head.items()]
    for name, cases in (("good", good()), ("bad", bad())):
        inner = ",\n".join(
            "  " + json.dumps({"what": what, "note": note}, ensure_ascii=True)
            for what, note in cases
        )
        lines.append(f' "{name}": [\n{inner}\n ]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    (HERE / "checkpoints.json").write_text(document())
