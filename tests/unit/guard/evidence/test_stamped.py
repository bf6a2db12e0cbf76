"""Time stamps in bundles, before both verifiers; the authority is the tests' own."""

import json
import zipfile
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from guard.clock import HOUR, Micros
from guard.errors import ProofError
from guard.evidence import standalone
from guard.evidence.checking import verify_bundle
from guard.evidence.stamped import FILES, stamped
from guard.ledger.anchors import Anchors, Authority, Stamps
from guard.ledger.outage import OutageWindow
from tests.support.rig import Rig
from tests.support.timestamps import TestAuthority, needs_openssl
from tests.unit.guard.evidence.cases import Change, Told, bundle, judge, publish, rewrite, tell

pytestmark = [pytest.mark.anyio, needs_openssl]


@pytest.fixture
def authority(tmp_path: Path) -> TestAuthority:
    pytest.importorskip("rfc3161_client", reason="the extra `anchors` is not installed")
    return TestAuthority(tmp_path / "tsa")


async def anchor(told: Told, authority: TestAuthority, folder: Path, at: Micros = 0) -> int:
    """Have what is published stamped; its size."""
    stamps = Stamps(authority.roots)
    anchors = Anchors(
        folder / "log",
        Authority("http://tsa", stamps, authority),
        OutageWindow("time stamp", folder / "outage", 4 * HOUR),
        interval=-(10**18),
        wall=lambda: told.rig.clock.now() + at,
    )
    size = await anchors.turn()
    assert size is not None
    return size


async def test_a_bundle_bears_the_stamp_of_the_tree_that_its_own_grew_from(
    rig: Rig, tmp_path: Path, authority: TestAuthority
) -> None:
    told = await tell(rig, tmp_path)
    sizes = [await anchor(told, authority, tmp_path)]
    await bundle(told, tmp_path / "first.zip")  # entries of its own: the log grows
    await publish(rig)
    sizes.append(await anchor(told, authority, tmp_path))
    await bundle(told, tmp_path / "second.zip")
    await publish(rig)
    stamps = Stamps(authority.roots)
    # The first that all of the range is in, or the newest there is.
    for asked, size in (
        ({}, sizes[1]),
        ({"start": 2, "end": sizes[0]}, sizes[0]),
        ({"start": 2, "end": sizes[0] + 1}, sizes[1]),
        ({"customer": told.refs[0]}, sizes[1]),
    ):
        path = await bundle(told, tmp_path / f"{len(asked)}{size}.zip", **asked)
        said = judge(path, told.vkeys)
        assert said is not None
        assert said.stamp is not None
        assert (said.stamp.size, said.stamp.is_signed) == (size, False)
        assert said.checkpoint.size > size
        signed = verify_bundle(path, told.keys, None, stamps)
        assert signed.stamp == replace(said.stamp, is_signed=True)
        words = standalone.check(str(path), list(told.vkeys))
        assert f"; the first {size} entries bear a time stamp of 2" in words
        assert "NOT CHECKED: whether its authority signed it" in words
    first = verify_bundle(tmp_path / "first.zip", told.keys, None, stamps)
    assert first.stamp is not None
    assert first.stamp.size == first.checkpoint.size == sizes[0]


async def test_only_the_authority_itself_is_believed(
    rig: Rig, tmp_path: Path, authority: TestAuthority
) -> None:
    told = await tell(rig, tmp_path)
    stamps, other = Stamps(authority.roots), Stamps(TestAuthority(tmp_path / "other").roots)
    bare = await bundle(told, tmp_path / "bare.zip")
    with pytest.raises(ProofError, match="no time stamp"):
        verify_bundle(bare, told.keys, None, stamps)
    await publish(rig)
    await anchor(told, authority, tmp_path)
    path = await bundle(told, tmp_path / "case.zip")
    with pytest.raises(ProofError, match="another authority"):
        verify_bundle(path, told.keys, None, other)


async def test_a_stamp_that_is_of_something_else_is_refused(
    rig: Rig, tmp_path: Path, authority: TestAuthority
) -> None:
    told = await tell(rig, tmp_path)
    await anchor(told, authority, tmp_path)
    await bundle(told, tmp_path / "first.zip")
    await publish(rig)
    path = await bundle(told, tmp_path / "case.zip")
    copy = tmp_path / "copy.zip"
    assert judge(rewrite(path, copy, lambda _: None, told.signer), told.vkeys) is not None
    forged = Stamps(authority.roots).request(b"something else").as_bytes()
    changes: dict[str, Change] = {f"without {name}": without(name) for name in FILES}
    changes |= {
        "stamp of other bytes": lambda files: files.update(
            {"anchor.tsr": authority.answer(forged)}
        ),
        "the newer checkpoint": lambda files: files.update(
            {"anchor.checkpoint": files["checkpoint"]}
        ),
        "another line under it": lambda files: files.update(
            {"anchor.checkpoint": files["anchor.checkpoint"] + b"\xe2\x80\x94 w AAAAAAAA\n"}
        ),
        "of another log": lambda files: files.update(
            {"anchor.checkpoint": b"u" + files["anchor.checkpoint"]}
        ),
        "no hashes": lambda files: files.update({"anchor.json": b'{"left":[],"right":[]}'}),
        "no left hashes": lambda files: edges(files, left=[]),
        "no right hashes": lambda files: edges(files, right=[]),
        "another right hash": lambda files: edges(files, right=["00" * 32]),
        "hashes in capitals": lambda files: files.update(
            {"anchor.json": files["anchor.json"].upper().lower().replace(b"a", b"A")}
        ),
        "words": lambda files: files.update({"anchor.tsr": b"words"}),
        "no token": lambda files: files.update({"anchor.tsr": b""}),
        "a token and more": lambda files: files.update({"anchor.tsr": files["anchor.tsr"] + b"0"}),
    }
    for what, change in changes.items():
        # The exporter signs the lie.
        assert judge(rewrite(path, copy, change, told.signer), told.vkeys) is None, what


def without(name: str) -> Change:
    def change(files: dict[str, bytes]) -> None:
        del files[name]

    return change


def edges(files: dict[str, bytes], **changes: list[str]) -> None:
    files["anchor.json"] = json.dumps(json.loads(files["anchor.json"]) | changes).encode()


async def test_both_verifiers_read_a_token_alike_whatever_bit_of_it_is_flipped(
    rig: Rig, tmp_path: Path, authority: TestAuthority
) -> None:
    told = await tell(rig, tmp_path)
    await anchor(told, authority, tmp_path)
    path = await bundle(told, tmp_path / "case.zip")
    with zipfile.ZipFile(path) as held:
        token, note = held.read("anchor.tsr"), held.read("anchor.checkpoint")
        tree = standalone.read_tree(note.decode().partition("\n\n")[0] + "\n")
        files = {name: held.read(name) for name in held.namelist()}
    assert stamped(token)[0] == sha256(note).digest()

    class Held:
        """What the bundle holds, with another token."""

        def getinfo(self, name: str) -> zipfile.ZipInfo:
            info = zipfile.ZipInfo(name)
            info.file_size = len(files[name])
            return info

        def open(self, name: str) -> BytesIO:
            return BytesIO(files[name])

    refused = 0
    for place in range(len(token)):
        for bit in (1, 0x80):
            broken = bytearray(token)
            broken[place] ^= bit
            files["anchor.tsr"] = bytes(broken)
            try:
                fast = stamped(bytes(broken))[0] == sha256(note).digest()
            except ProofError:
                fast = False
            try:
                standalone.check_stamp(Held(), tree)  # type: ignore[arg-type]  # it reads files, as a zip file does
                slow = True
            except (standalone.RefusedError, ValueError):
                slow = False
            assert fast == slow, (place, bit)
            refused += not fast
    # Most of a token is its signature and certificates, which only the library judges.
    assert refused > 100
    for size in range(0, len(token), 7):
        with pytest.raises(ProofError, match="malformed"):
            stamped(token[:size])
