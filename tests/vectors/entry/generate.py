"""Write the leaf and commitment vectors of this folder, put together by hand.

`python -m tests.vectors.entry.generate` rewrites `entries.json`; a test compares it with what is
committed. Nothing here uses the code under test.
"""

import json
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
ENTRY_ID = bytes.fromhex("019ab6a2c0000102030405060708090a")
AT = 1_764_000_000_000_000
EVENT = b'{"at":1764000000000000,"kind":"view","tenant":"acme","agent":"u-17"}'
SUBJECTS = [
    b'{"customer":"cAAAAAAAAAAAAAAAAAAAAAA","case":"case-9","reason":"call"}',
    b'{"customer":"cBBBBBBBBBBBBBBBBBBBBBB"}',
]
KINDS = (
    1,
    2,
    3,
    4,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    31,
    48,
    49,
    50,
    51,
    52,
    53,
    54,
    55,
    56,
    64,
    65,
    66,
    67,
    68,
    80,
    81,
    82,
    83,
    84,
    85,
    86,
    87,
    96,
    97,
    98,
    99,
    100,
    101,
    102,
    112,
)


def inner(nonce: bytes, part: bytes) -> bytes:
    return sha256(b"\x00" + nonce + part).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def commitment(hashes: list[bytes]) -> bytes:
    """Root over one, two or three inner hashes."""
    root = hashes[0]
    if len(hashes) > 1:
        root = node(root, hashes[1])
    if len(hashes) > 2:
        root = node(root, hashes[2])
    return root


def leaf(kind: int, seq: int, root: bytes) -> bytes:
    return (
        b"\x01"
        + ENTRY_ID
        + AT.to_bytes(8, "big")
        + bytes([kind])
        + b"writer-1"
        + seq.to_bytes(8, "big")
        + bytes(range(16))
        + root
    )


def good() -> list[dict[str, object]]:
    cases: list[dict[str, object]] = []
    for count in range(len(SUBJECTS) + 1):
        parts = [EVENT, *SUBJECTS[:count]]
        nonces = [bytes([n + 1]) * 32 for n in range(len(parts))]
        hashes = [inner(nonce, part) for nonce, part in zip(nonces, parts, strict=True)]
        root = commitment(hashes)
        encoded = leaf(16, 2**63 + count, root)
        cases.append(
            {
                "nonces": [one.hex() for one in nonces],
                "parts": [one.decode() for one in parts],
                "inner": [one.hex() for one in hashes],
                "commitment": root.hex(),
                "writer_seq": 2**63 + count,
                "leaf": encoded.hex(),
                "leaf_hash": sha256(b"\x00" + encoded).hexdigest(),
            }
        )
    return cases


def bad() -> list[dict[str, object]]:
    """Bytes that are no leaf."""
    whole = leaf(16, 5, bytes(32))
    cases = [("empty", b""), ("one byte more", whole + b"\0"), ("doubled", whole * 2)]
    cases += [(f"cut to {n}", whole[:n]) for n in range(1, 90, 11)]
    cases += [(f"version {v}", bytes([v]) + whole[1:]) for v in (0, 2, 3, 0x7F, 0xFF)]
    cases += [
        (f"kind {kind}", leaf(kind, 5, bytes(32))) for kind in range(256) if kind not in KINDS
    ][::9]
    return [{"what": what, "leaf": one.hex()} for what, one in cases]


def document() -> str:
    """All cases as the text of `entries.json`, one case a line."""
    parts = []
    for name, cases in (("good", good()), ("bad", bad())):
        lines = ",\n".join("  " + json.dumps(case) for case in cases)
        parts.append(f' "{name}": [\n{lines}\n ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    (HERE / "entries.json").write_text(document())
