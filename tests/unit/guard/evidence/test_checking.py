"""Bundles that were changed, before both verifiers; `cases.judge` asserts that they agree."""

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from guard.errors import ProofError
from guard.evidence import standalone
from guard.evidence.checking import verify_bundle
from guard.ledger.checkpoint import open_checkpoint
from guard.ledger.note import NoteSigner, write_note
from tests.support.rig import Rig
from tests.unit.guard.evidence.cases import Change, bundle, judge, rewrite, tell

pytestmark = pytest.mark.anyio
Files = dict[str, bytes]


def at(name: str, place: int) -> Change:
    def change(files: Files) -> None:
        content = bytearray(files[name])
        content[place] ^= 1
        files[name] = bytes(content)

    return change


def lines(edit: Callable[[list[dict[str, object]]], object]) -> Change:
    """Change what is shown, line by line."""

    def change(files: Files) -> None:
        shown = [json.loads(line) for line in files["parts.ndjson"].splitlines()]
        edit(shown)
        files["parts.ndjson"] = b"".join(json.dumps(one).encode() + b"\n" for one in shown)

    return change


def manifest(**changes: object) -> Change:
    """Change what the manifest says; it is signed anew afterwards."""

    def change(files: Files) -> None:
        header, body, *rest = files["manifest"].decode().split("\n")
        said = json.loads(body) | changes
        files["manifest"] = "\n".join([header, json.dumps(said), *rest]).encode()

    return change


def tags(**changes: object) -> Change:
    def change(files: Files) -> None:
        files["tags.json"] = json.dumps(json.loads(files["tags.json"]) | changes).encode()

    return change


def counted(more: int) -> Change:
    """So many more, or less, of the customer's entries are told."""

    def change(files: Files) -> None:
        count = json.loads(files["tags.json"])["count"]
        tags(count=count + more)(files)

    return change


def left_out(place: int, told: int) -> Change:
    """Leave an entry about the customer out, as an exporter can who counts and signs anew."""

    def change(files: Files) -> None:
        said = json.loads(files["manifest"].decode().split("\n")[1])
        shown = files["parts.ndjson"].splitlines(keepends=True)
        own = [one for one in shown if len(json.loads(one)["parts"]) == 2]
        index = json.loads(own[place])["index"]
        files["parts.ndjson"] = files["parts.ndjson"].replace(own[place], b"")
        writer = files["leaves"][index * 92 + 2 :][26:34].hex()
        said["writers"][writer] -= 1
        manifest(writers=said["writers"], entries=said["entries"] - 1)(files)
        counted(told)(files)

    return change


def leaf_away(files: Files) -> None:
    files["leaves"] = files["leaves"][:-92]


def leaves_swapped(files: Files) -> None:
    one = files["leaves"]
    files["leaves"] = one[:92] + one[184:276] + one[92:184] + one[276:]


def edges_cut(files: Files) -> None:
    files["range.json"] = b'{"left":["' + b"00" * 32 + b'"],"right":[]}'


def open_up(shown: list[dict[str, object]]) -> None:
    shown[0]["parts"] = [{"hash": "00" * 32}]


BROKEN: dict[str, Change] = {
    "a leaf flipped": at("leaves", 60),
    "a leaf left out": leaf_away,
    "two leaves swapped": leaves_swapped,
    "a leaf too many": lambda files: files.update(leaves=files["leaves"] + files["leaves"][:92]),
    "an entry not shown": lines(lambda shown: shown.pop()),
    "an entry shown twice": lines(lambda shown: shown.append(shown[-1])),
    "entries out of order": lines(lambda shown: shown.reverse()),
    "a part of another entry": lines(lambda shown: shown[0].update(parts=shown[1]["parts"])),
    "a part left out": lines(lambda shown: shown[0].update(parts=[])),
    "a part made up": lines(open_up),
    "a part that is no part": lines(lambda shown: shown[0].update(parts=[{"text": "x"}])),
    "a place beyond the range": lines(lambda shown: shown[-1].update(index=10**6)),
    "no lines but words": lambda files: files.update({"parts.ndjson": b"words\n"}),
    "edges of another range": edges_cut,
    "an entry left out": left_out(2, 0),
    "an entry left out and not counted": left_out(2, -1),
    "the first left out and not counted": left_out(0, -1),
    "the last left out and not counted": left_out(-1, -1),
    "one of the customer's less told": counted(-1),
    "one of the customer's more told": counted(1),
    "more told than there are entries": tags(count=10**9),
    "less than none told": tags(count=-1),
    "no number told": tags(count="3"),
    "another key of tags": tags(key="00" * 32),
    "a key of tags that is cut": tags(key="00" * 31),
    "a key of tags that is none": tags(key="no"),
    "a key in capitals": lambda files: tags(key=json.loads(files["tags.json"])["key"].upper())(
        files
    ),
    "another customer": manifest(filter={"customer": "somebody else"}),
    "another tenant": manifest(tenant="other"),
    "another count": manifest(entries=1),
    "other writers": manifest(writers={}),
    "another size": manifest(size=3),
    "another root": manifest(root="00" * 32),
    "a range that is not whole": manifest(start=1),
    "a range beyond the tree": manifest(end=10**6),
    "hashes instead of leaves": manifest(leaves="shown"),
    "another time": manifest(filter={"since": "99999999999999999"}),
    "another origin": manifest(origin="u"),
}


async def test_whatever_is_changed_in_a_bundle_both_verifiers_refuse_it(
    rig: Rig, tmp_path: Path
) -> None:
    told = await tell(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", customer=told.refs[1])
    copy = tmp_path / "copy.zip"
    assert judge(rewrite(path, copy, lambda _: None, told.signer), told.vkeys) is not None
    assert judge(rewrite(path, copy, lambda _: None), told.vkeys) is not None
    for what, change in BROKEN.items():
        # The exporter signs the lie.
        assert judge(rewrite(path, copy, change, told.signer), told.vkeys) is None, what
        # Somebody on the way tells it.
        assert judge(rewrite(path, copy, change), told.vkeys) is None, what


async def test_of_no_entry_nobody_says_whose_the_key_is(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", customer=told.refs[1])

    def nothing(files: Files) -> None:
        files["parts.ndjson"] = b""
        tags(key="11" * 32, count=0)(files)
        manifest(entries=0, writers={})(files)

    lie = rewrite(path, tmp_path / "lie.zip", nothing, told.signer)
    report = judge(lie, told.vkeys)
    assert report is not None
    assert report.of_customer == 0
    assert "NOT CHECKED: whether the key is hers" in standalone.check(str(lie), list(told.vkeys))
    assert "NOT CHECKED: whether the key" not in standalone.check(str(path), list(told.vkeys))


async def test_files_taken_out_put_in_or_cut_are_refused(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", start=4, end=9)
    copy = tmp_path / "copy.zip"
    for change in (
        lambda files: files.update(more=b""),
        lambda files: files.pop("verify.py"),
        lambda files: files.pop("manifest"),
        lambda files: files.update(manifest=b"words\n\n\xe2\x80\x94 t AAAAAAAA\n"),
        at("verify.py", 100),
        at("checkpoint", 3),
    ):
        assert judge(rewrite(path, copy, change), told.vkeys) is None
    whole = path.read_bytes()
    for place in range(1, len(whole), len(whole) // 20):
        copy.write_bytes(whole[:place])
        assert judge(copy, told.vkeys) is None


async def test_keys_and_witnesses_are_the_readers_choice(rig: Rig, tmp_path: Path) -> None:
    told = await tell(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", agent="a1")
    log, exporter = told.vkeys
    thief = NoteSigner("t", rig.keyring.signing_key("thief")).vkey
    assert judge(path, (log,)) is None
    assert judge(path, (exporter,)) is None
    assert judge(path, (thief, exporter)) is None
    witness = NoteSigner("w.example", rig.keyring.signing_key("witness"))
    policy = f"log {log}\nwitness w {witness.cosigner.encode()}\nquorum "
    assert judge(path, (exporter,), policy + "none\n") is not None
    assert judge(path, (exporter,), policy + "w\n") is None

    def cosign(files: Files) -> None:
        text = files["checkpoint"].decode().split("\n\n")[0] + "\n"
        own = files["checkpoint"].decode().split("\n\n")[1]
        files["checkpoint"] = write_note(text, [own, witness.cosign(text, 1_764_000_000)])

    cosigned = rewrite(path, tmp_path / "cosigned.zip", cosign, told.signer)
    report = judge(cosigned, (exporter,), policy + "w\n")
    assert report is not None
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    assert report.checkpoint == open_checkpoint(note, told.keys[0])


async def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.zip"
    path.write_text("words")
    assert judge(path, ()) is None
    with pytest.raises(OSError, match="No such file"):
        verify_bundle(tmp_path / "none.zip", [])


def test_the_verifier_in_a_bundle_needs_nothing_but_python() -> None:
    source = Path(standalone.__file__).read_text()
    assert len(source.splitlines()) <= 540
    for part in ast.walk(ast.parse(source)):
        if isinstance(part, ast.Import):
            assert {name.name for name in part.names} <= sys.stdlib_module_names
        if isinstance(part, ast.ImportFrom):
            assert part.module in sys.stdlib_module_names
    assert issubclass(standalone.RefusedError, Exception)
    assert not issubclass(standalone.RefusedError, ProofError)
