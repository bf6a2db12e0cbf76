"""Check an evidence bundle, or a `.tlog-proof`, offline. Needs Python 3.9 and nothing else.

    python3 verify.py case.zip --vkey LOG_KEY --vkey MANIFEST_KEY [--policy FILE]
    python3 verify.py one.tlog-proof --leaf HEX --vkey LOG_KEY [--policy FILE]

It is the file `verify.py` in every bundle and shares no code with the service that wrote it. Of a
bundle that you doubt do not trust this copy either: compare it with one from somewhere else. What
it checks is in docs/formats/evidence.md. What it cannot check it says: ML-DSA-44 signatures (of
witnesses it counts the Ed25519 ones), and the signature under a time stamp. Exit status: 0 all
holds, 1 something does not (the line says what), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import sys
import zipfile
from typing import Any, Iterator

MOST = 2**63 - 1
MOST_PROOF = 532480
DASH = "\u2014 "
NAME = re.compile(r"[^\s+]+")
ED25519, COSIGNATURE, ML_DSA = 1, 4, 6
SIZES = {ED25519: 32, COSIGNATURE: 32, ML_DSA: 1312}
CLOSE, GAP, BEYOND = 2, 3, 256
SMALL, MOST_LINE, MOST_RATIO = 256 * 1024, 16 * 1024 * 1024, 100


class RefusedError(Exception):
    """Something does not hold."""


def need(holds: object, why: str) -> None:
    if not holds:
        raise RefusedError(why)


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def unbase64(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        decoded = b""
    need(base64.b64encode(decoded).decode() == text, "base64 is malformed")
    return decoded


def number(text: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,18}", text) and int(text) <= MOST, "number is malformed")
    return int(text)


# Ed25519 as in RFC 8032, 5.1: points are (X, Y, Z, T); slow, and a few signatures are all there is.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(one: Any, two: Any) -> Any:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Any) -> Any:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def decode_point(encoded: bytes) -> Any:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need(y < P and (x * x - square) % P == 0 and (x or not sign), "public key is no point")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    scalar, challenge = signature[32:], hashlib.sha512(signature[:32] + public + message).digest()
    x, y, z, t = decode_point(public)
    minus = times(int.from_bytes(challenge, "little") % ORDER, (P - x, y, z, P - t))
    x, y, z, t = add(times(int.from_bytes(scalar, "little"), BASE), minus)
    x, y = x * pow(z, P - 2, P) % P, y * pow(z, P - 2, P) % P
    found = (y | (x & 1) << 255).to_bytes(32, "little")
    return int.from_bytes(scalar, "little") < ORDER and found == signature[:32]


# Signed notes, checkpoints, policies: C2SP signed-note, tlog-checkpoint, tlog-cosignature.
def read_vkey(text: str) -> Any:
    parts = text.split("+", 2)
    is_key = len(parts) == 3 and NAME.fullmatch(parts[0]) and parts[0].isprintable()
    need(is_key, "verifier key is not `name+id+base64`")
    content = unbase64(parts[2])
    need(content and SIZES.get(content[0]) == len(content) - 1, "key is of no known type")
    key_id = sha256(parts[0].encode() + b"\n" + content)[:4]
    need(key_id.hex() == parts[1], "verifier key has a wrong id")
    return parts[0], key_id, content[0], content[1:]


def read_note(note: bytes, keys: list[Any]) -> tuple[str, list[Any]]:
    need(len(note) <= 256 * 1024, "note is too large")
    whole = note.decode()
    need(all(c >= " " or c == "\n" for c in whole), "note holds a control character")
    text, blank, block = whole.rpartition("\n\n")
    lines = block.split("\n")
    need(blank and not lines.pop() and 1 <= len(lines) <= 64, "note has no signature lines")
    found = []
    for line in lines:
        parts = line[len(DASH) :].split(" ")
        is_line = line.startswith(DASH) and len(parts) == 2 and NAME.fullmatch(parts[0])
        need(is_line and parts[0].isprintable(), "signature line is malformed")
        content = unbase64(parts[1])
        need(len(content) > 4, "signature line is too short")
        for key in keys:
            if (parts[0], content[:4]) == key[:2]:
                if key[2] == ML_DSA:
                    continue
                message, signature = (text + "\n").encode(), content[4:]
                if key[2] == COSIGNATURE:
                    time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
                    message = f"cosignature/v1\ntime {time}\n".encode() + message
                need(is_signed(key[3], message, signature), f"signature of `{key[0]}` is bad")
                found.append(key)
    return text + "\n", found


def read_tree(text: str) -> tuple[str, int, bytes]:
    lines = text.split("\n")
    need(not lines.pop() and len(lines) >= 3 and all(lines), "checkpoint has no three lines")
    size, root = number(lines[1]), unbase64(lines[2])
    need(len(root) == 32 and (size or root == sha256(b"")), "checkpoint has no such root")
    return lines[0], size, root


def read_checkpoint(note: bytes, logs: list[Any], policy: Any = None) -> tuple[str, int, bytes]:
    logs = policy["logs"] if policy else logs
    text, found = read_note(note, logs + (list(policy["witnesses"].values()) if policy else []))
    tree = read_tree(text)
    need(any(key in found and key[0] == tree[0] for key in logs), "log did not sign checkpoint")
    need(
        not policy or agrees(policy, policy["quorum"], found),
        "too few witnesses cosigned by Ed25519",
    )
    return tree


def agrees(policy: Any, name: str, found: list[Any]) -> bool:
    if name == "none" or name in policy["witnesses"]:
        return name == "none" or policy["witnesses"][name] in found
    threshold, members = policy["groups"][name]
    return sum(agrees(policy, one, found) for one in members) >= int(threshold)


def read_policy(text: str) -> Any:
    logs: list[Any] = []
    witnesses: dict[str, Any] = {}
    groups: dict[str, Any] = {}
    free: set[str] = set()
    publics, quorum = set(), ""
    for line in text.split("\n"):
        need(all(c >= " " or c == "\t" for c in line), "policy holds a control character")
        what, *rest = [word for word in re.split("[ \t]+", line) if word] or ["#"]
        if what.startswith("#"):
            continue
        name = rest[0] if what in ("witness", "group") and len(rest) > 1 else ""
        need(not name or name not in {"none", *witnesses, *groups}, "policy: name is taken")
        if what in ("log", "witness") and len(rest[bool(name) :]) in (1, 2):
            key = read_vkey(rest[bool(name)])
            kind = COSIGNATURE if name else ED25519
            need(key[2] in (kind, ML_DSA), "policy: key has a wrong type")
            need((kind, key[3]) not in publics, "policy: key is there twice")
            publics.add((kind, key[3]))
            if name:
                witnesses[name], free = key, free | {name}
            else:
                logs.append(key)
        elif what == "group" and len(rest) > 2:
            threshold = {"any": "1", "all": str(len(rest) - 2)}.get(rest[1], rest[1])
            need(threshold in map(str, range(1, len(rest) - 1)), "policy: bad threshold")
            for member in rest[2:]:
                need(member in free, "policy: member is unknown or twice")
                free.remove(member)
            groups[name], free = (threshold, rest[2:]), free | {name}
        else:
            need((what, len(rest), quorum) == ("quorum", 1, ""), "policy: line is not understood")
            need(rest[0] in {"none", *witnesses, *groups}, "policy: quorum is unknown")
            quorum = rest[0]
    need(quorum, "policy has no quorum")
    return {"logs": logs, "witnesses": witnesses, "groups": groups, "quorum": quorum}


# The tree: RFC 6962 2.1; proofs: C2SP tlog-proof.
def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def check_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    need(0 <= index < size <= MOST, "no such leaf")
    need(len(proof) <= 63 and all(len(one) == 32 for one in [leaf, *proof]), "hash is cut")
    inner = (index ^ (size - 1)).bit_length()
    beyond = bin(index >> inner).count("1")  # noqa: FURB161 - `bit_count` came with Python 3.10
    need(len(proof) == inner + beyond, "proof has a wrong length")
    for level, other in enumerate(proof):
        is_right = level >= inner or index >> level & 1
        leaf = node(other, leaf) if is_right else node(leaf, other)
    need(leaf == root, f"leaf {index} is not in the tree")


def check_proof(text: bytes, leaf: bytes, logs: list[Any], policy: Any = None) -> int:
    head, blank, note = text.partition(b"\n\n")
    need(blank and len(text) <= MOST_PROOF, "proof has no checkpoint")
    lines = head.decode().split("\n")
    need(lines.pop(0) == "c2sp.org/tlog-proof@v1", "file is no tlog-proof")
    if lines and lines[0].startswith("extra "):
        unbase64(lines.pop(0)[6:])
    need(lines and lines[0].startswith("index "), "proof has no index")
    index, hashes = number(lines[0][6:]), [unbase64(line) for line in lines[1:]]
    _, size, root = read_checkpoint(note, logs, policy)
    check_inclusion(index, size, sha256(b"\x00" + leaf), hashes, root)
    return index


class Tree:
    """Perfect subtrees from the left, as (level, hash)."""

    def __init__(self) -> None:
        self.stack: list[tuple[int, bytes]] = []

    def push(self, level: int, one: bytes) -> None:
        while self.stack and self.stack[-1][0] == level:
            one, level = node(self.stack.pop()[1], one), level + 1
        self.stack.append((level, one))

    def root(self) -> bytes:
        hashes = [one for _, one in self.stack] or [sha256(b"")]
        while len(hashes) > 1:
            right = hashes.pop()
            hashes.append(node(hashes.pop(), right))
        return hashes[0]

    def cover(self, first: int, end: int, hashes: list[str]) -> None:
        for text in hashes:
            need(first < end and re.fullmatch("[0-9a-f]{64}", text), "range proof is malformed")
            level = (end - first).bit_length() - 1
            level = min(level, (first & -first).bit_length() - 1) if first else level
            self.push(level, bytes.fromhex(text))
            first += 1 << level
        need(first == end, "range proof is too short")


def read(bundle: zipfile.ZipFile, name: str) -> bytes:
    with bundle.open(name) as file:
        content = file.read(SMALL + 1)
    is_small = bundle.getinfo(name).file_size <= SMALL and len(content) <= SMALL
    need(is_small, f"file `{name}` is too large")
    return content


def next_line(file: Any) -> Any:
    line = file.readline(MOST_LINE + 1)
    need(len(line) <= MOST_LINE, "a line of what is shown is too large")
    return json.loads(line or b"null")


def check_sizes(bundle: zipfile.ZipFile) -> None:
    for one in bundle.infolist():
        is_known = one.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        need(is_known, f"file `{one.filename}` is packed in another way")
        most = max(SMALL, MOST_RATIO * one.compress_size)
        need(one.file_size <= most, f"file `{one.filename}` unpacks to too much")


def leaves_of(bundle: zipfile.ZipFile, manifest: Any) -> Iterator[tuple[bytes, bytes]]:
    is_whole = manifest["leaves"] == "all"
    with bundle.open("leaves" if is_whole else "hashes") as file:
        for _ in range(manifest["start"], manifest["end"]):
            leaf = file.read(int.from_bytes(file.read(2), "big")) if is_whole else b""
            need(len(leaf) == 90 * is_whole, "a leaf is missing or cut")
            one = sha256(b"\x00" + leaf) if is_whole else file.read(32)
            need(len(one) == 32, "a leaf is missing or cut")
            yield leaf, one
        need(not file.read(1), "more leaves are there than the range has")


def check_shown(line: Any, place: int, leaf: bytes, manifest: Any) -> list[Any]:
    tree, parts = Tree(), []
    for part in line["parts"]:
        is_open = list(part) == ["open"]
        plain = unbase64(part["open"]) if is_open else b""
        need(is_open or re.fullmatch("[0-9a-f]{64}", part["hash"]), f"entry {place}: bad hash")
        tree.push(0, sha256(b"\x00" + plain) if is_open else bytes.fromhex(part["hash"]))
        parts.append(json.loads(plain[32:]) if is_open else None)
    is_leaf = len(leaf) == 90 and leaf[0] == 1
    need(is_leaf and tree.root() == leaf[58:], f"entry {place}: not what it committed to")
    asked, (event, *people), at = manifest["filter"], parts, int.from_bytes(leaf[17:25], "big")
    customers = [part["customer"] for part in people if part]
    fits = asked.get("customer") in (None, *customers)
    fits = fits and int(asked.get("since", 0)) <= at < int(asked.get("until", MOST))
    if event is None:
        told = {"agent", "vendor", "team", "regions"} & {*asked}
        need(not told, f"entry {place} was not asked for")
    else:
        need(event["at"] == at, f"entry {place} has two times")
        fits = fits and asked.get("agent") in (None, event["agent"], event.get("actor"))
        fits = fits and event["tenant"] == manifest["tenant"]
        for name in {"vendor", "team"} & {*asked}:
            fits = fits and event.get(name, "") == asked[name]
        if "regions" in asked:
            fits = fits and event.get("region", "") in asked["regions"].split(",")
    need(fits, f"entry {place} was not asked for")
    return parts


class Writers:
    """The numbers of each writer; what a later `GAP` entry tells may be missing."""

    def __init__(self, start: int) -> None:
        self.start, self.gaps = start, 0
        self.last: dict[bytes, tuple[int, int, bool]] = {}
        self.untold: list[str] = []

    def follow(self, place: int, leaf: bytes) -> None:
        writer, seq, kind = leaf[26:34], int.from_bytes(leaf[34:42], "big"), leaf[25]
        at, first = int.from_bytes(leaf[17:25], "big"), seq if self.start else 0
        due, before, is_closed = self.last.get(writer, (first, 0, False))
        lacks = f"entry {place}: writer {writer.hex()} lacks number {due}"
        need(seq >= due, lacks)
        need((kind == 1) == (seq == 0), f"entry {place}: writer {writer.hex()} is not opened")
        need(at >= before and not is_closed, f"entry {place}: writer goes back, or was closed")
        if seq > due:
            self.gaps += 1
            self.untold.append(lacks)
        if kind == GAP and self.untold:
            self.untold.pop(0)
        self.last[writer] = seq + 1, at, kind == CLOSE


def make_tags(told: Any, most: int) -> tuple[dict[str, int], frozenset[str]]:
    key, count = told["key"], told["count"]
    need(type(count) is int and 0 <= count <= most, "customer has more entries than the log")
    need(re.fullmatch("[0-9a-f]{64}", key), "key of the customer's tags is malformed")
    one = hmac.new(bytes.fromhex(key), digestmod=hashlib.sha256)
    tags = []
    for n in range(count + BEYOND):
        tag = one.copy()
        tag.update(n.to_bytes(8, "big"))
        tags.append(tag.hexdigest()[:32])
    return dict.fromkeys(tags[:count], -1), frozenset(tags[count:])


def check_range(bundle: zipfile.ZipFile, manifest: Any) -> str:
    start, end, size = manifest["start"], manifest["end"], manifest["size"]
    need(0 <= start <= end <= size <= MOST, "range is not inside the tree")
    edges, of_one = json.loads(read(bundle, "range.json")), "customer" in manifest["filter"]
    due, beyond = dict[str, int](), frozenset[str]()
    is_whole = (start, end, manifest["leaves"]) == (0, size, "all")
    need(is_whole or not of_one, "range of a customer must be the whole log")
    if of_one:
        due, beyond = make_tags(json.loads(read(bundle, "tags.json")), size)
    tree, total, writers = Tree(), 0, Writers(start)
    counts: dict[str, int] = {}
    tree.cover(0, start, edges["left"])
    with bundle.open("parts.ndjson") as file:
        line = next_line(file)
        for place, (leaf, hashed) in enumerate(leaves_of(bundle, manifest), start):
            tree.push(0, hashed)
            is_shown, tag = bool(line) and line["index"] == place, leaf[42:58].hex()
            if leaf:
                writers.follow(place, leaf)
                need(tag not in beyond, f"entry {place} is the customer's and was left out")
            if tag in due:
                need(due[tag] < 0, f"entry {place} repeats a tag")
                need(is_shown, f"entry {place} is the customer's and is not shown")
                due[tag] = place
            if is_shown:
                leaf = leaf or unbase64(line["leaf"])
                need(sha256(b"\x00" + leaf) == hashed, f"entry {place}: not the tree's leaf")
                parts = check_shown(line, place, leaf, manifest)
                need(not of_one or len(parts) != 2 or tag in due, f"entry {place}: tag not listed")
                counts[leaf[26:34].hex()] = counts.get(leaf[26:34].hex(), 0) + 1
                line, total = next_line(file), total + 1
        need(line is None, "entries are shown that are not in the range, or out of order")
    tree.cover(end, size, edges["right"])
    need(tree.root().hex() == manifest["root"], "leaves are not those of the signed tree")
    for n, tag in enumerate(due):
        need(due[tag] >= 0, f"number {n} of the customer is missing")
    need(not writers.untold, (writers.untold or [""])[0])
    need((total, counts) == (manifest["entries"], manifest["writers"]), "other counts than told")
    said = f"holds: {total} of {end - start} entries shown, in a tree of {size}"
    said += f"; {writers.gaps} gaps of writers, each told by an entry" if writers.gaps else ""
    if of_one and not due:
        return said + "; none about the customer alone (NOT CHECKED: whether the key is hers)"
    return said + (f"; all {len(due)} about the customer alone and none after" if of_one else "")


# A time stamp: RFC 3161 in DER; a step is the tag of what is entered, or, negative, passed over.
SIGNED_DATA, TST_INFO = "2a864886f70d010702", "2a864886f70d0109100104"
GRANTED, SHA256 = ("00", "01"), "608648016503040201"


def inside(content: bytes, *steps: int) -> bytes:
    for tag in steps:
        need(len(content) > 1 and content[0] == abs(tag), "time stamp is malformed")
        count = content[1] - 128 if content[1] > 127 else 0
        need(0 <= count <= 4 and content[1] != 128, "time stamp is malformed")
        size, start = int.from_bytes(content[2 : 2 + count], "big"), 2 + count
        end = start + (size if count else content[1])
        need(end <= len(content), "time stamp is malformed")
        content = content[start:end] if tag > 0 else content[end:]
    return content


def check_stamp(bundle: zipfile.ZipFile, tree: tuple[str, int, bytes]) -> str:
    note, token = read(bundle, "anchor.checkpoint"), read(bundle, "anchor.tsr")
    origin, size, root = read_tree(read_note(note, [])[0])
    need(origin == tree[0] and size <= tree[1], "time stamp is one of another log")
    edges, whole = json.loads(read(bundle, "anchor.json")), Tree()
    whole.cover(0, size, edges["left"])
    need(whole.root() == root, "time stamp is of another tree")
    whole.cover(size, tree[1], edges["right"])
    need(whole.root() == tree[2], "what was time-stamped is not the beginning of this log")
    granted = inside(token, 0x30, 0x30, 2).hex() in GRANTED and not inside(token, -0x30)
    kind = inside(token, 0x30, -0x30, 0x30, 6).hex()
    signed = inside(token, 0x30, -0x30, 0x30, -6, 0xA0, 0x30, -2, -0x31)
    need(granted and kind == SIGNED_DATA, "time stamp is no RFC 3161 token")
    need(inside(signed, 0x30, 6).hex() == TST_INFO, "time stamp is no RFC 3161 token")
    info = inside(signed, 0x30, -6, 0xA0, 4, 0x30, -2, -6)
    imprint = inside(info, 0x30)
    is_sha256 = inside(imprint, 0x30, 6).hex() == SHA256 and not inside(imprint, -0x30, -4)
    need(is_sha256 and inside(imprint, -0x30, 4) == sha256(note), "time stamp is of something else")
    when = inside(info, -0x30, -2, 0x18).decode()
    is_time = re.fullmatch(r"[0-9]{14}(\.[0-9]{1,6})?Z", when)
    need(is_time, "time stamp has no time")
    dt.datetime.strptime(when[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007 - whether it is one
    said = f"; the first {size} entries bear a time stamp of {when}"
    return said + " (NOT CHECKED: whether its authority signed it)"


def check_bundle(bundle: zipfile.ZipFile, keys: list[Any], policy: Any = None) -> str:
    names = bundle.namelist()
    need(len(set(names)) == len(names) and "manifest" in names, "bundle has no manifest of its own")
    check_sizes(bundle)
    text, found = read_note(read(bundle, "manifest"), [key for key in keys if key[2] == ED25519])
    need(text.startswith("recordguard-evidence/v1\n"), "manifest is of another kind")
    manifest = json.loads(text.split("\n", 1)[1])
    origin, files = manifest["origin"], manifest["files"]
    need(origin + "/exports" in [key[0] for key in found], "no known key signed the manifest")
    need({*names} == {*files, "manifest"}, "bundle has other files than its manifest says")
    for name in files:
        hashed = hashlib.sha256()
        with bundle.open(name) as file:
            for piece in iter(lambda: file.read(65536), b""):
                hashed.update(piece)
        need(hashed.hexdigest() == files[name], f"file `{name}` was changed")
    logs = [key for key in keys if key[0] == origin and key[2] == ED25519]
    said = read_checkpoint(read(bundle, "checkpoint"), logs, policy)
    need(said == (origin, manifest["size"], bytes.fromhex(manifest["root"])), "other checkpoint")
    said_stamp = ""
    if {"anchor.checkpoint", "anchor.tsr", "anchor.json"} & {*names}:
        said_stamp = check_stamp(bundle, said)
    return check_range(bundle, manifest) + said_stamp + said_witnesses(bundle, policy)


def said_witnesses(bundle: zipfile.ZipFile, policy: Any) -> str:
    if not policy:
        return "; witnesses NOT CHECKED: name a policy"
    note, known = read(bundle, "checkpoint"), policy["witnesses"]
    found = read_note(note, list(known.values()))[1]
    named = [name for name, key in known.items() if key in found]
    unread = [name for name, key in known.items() if key[2] == ML_DSA]
    said = "; cosigned by " + ", ".join(named) if named else "; no witness that counts cosigned"
    return said + (f" (NOT CHECKED, ML-DSA-44: {', '.join(unread)})" if unread else "")


def check(path: str, vkeys: list[str], policy: str = "", leaf: str = "") -> str:
    try:
        keys, trusted = [read_vkey(one) for one in vkeys], read_policy(policy) if policy else None
        if leaf:
            with open(path, "rb") as file:
                place = check_proof(file.read(MOST_PROOF + 1), bytes.fromhex(leaf), keys, trusted)
            return f"holds: the leaf is entry {place}"
        with zipfile.ZipFile(path) as bundle:
            return check_bundle(bundle, keys, trusted)
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"file is malformed ({type(error).__name__}: {error})") from None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("file")
    parser.add_argument("--vkey", action="append", default=[], help="key of the log, of manifests")
    parser.add_argument("--policy", help="file that names logs, witnesses and a quorum")
    parser.add_argument("--leaf", default="", help="the leaf of a `.tlog-proof`, in hex")
    asked = parser.parse_args()
    try:
        policy = open(asked.policy, encoding="utf-8").read() if asked.policy else ""
        said, code = check(asked.file, asked.vkey, policy, asked.leaf), 0
    except (RefusedError, OSError) as error:
        said, code = f"does not hold: {error}", 1
    sys.stdout.write(said + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
