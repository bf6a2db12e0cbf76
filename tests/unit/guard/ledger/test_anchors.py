import asyncio
import os
import sys
from pathlib import Path

import pytest

from guard.clock import HOUR, MINUTE, SECOND
from guard.errors import ConfigurationError, ProofError, UnavailableError
from guard.ledger import anchors as module
from guard.ledger.anchors import MAX_TOKEN, Anchors, Authority, Stamps, anchor_of, anchored
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.outage import OutageWindow
from guard.ledger.tiles import TileFolder
from guard.ports import OutsideReply
from tests.support.timestamps import TestAuthority, needs_openssl
from tests.support.witnesses import NOW, Outside, make_signer

LOG = make_signer("example.com/log", 1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def note(size: int) -> bytes:
    return sign_checkpoint(Checkpoint("example.com/log", size, bytes([size]) * 32), LOG)


def test_without_the_extra_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(ConfigurationError, match=r"recordguard\[anchors\]"):
        Stamps(b"")


def test_a_file_without_certificates_is_refused() -> None:
    pytest.importorskip("rfc3161_client", reason="the extra `anchors` is not installed")
    for pem in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ConfigurationError, match="PEM"):
            Stamps(pem)


class Desk:
    """A published log, an authority, and a clock that the test turns."""

    def __init__(self, tmp_path: Path) -> None:
        pytest.importorskip("rfc3161_client", reason="the extra `anchors` is not installed")
        self.log, self.now = tmp_path / "log", NOW
        self.authority = TestAuthority(tmp_path / "tsa")
        self.stamps = Stamps(self.authority.roots)
        self.outage = OutageWindow("time stamp", tmp_path / "outage", 4 * HOUR)

    def anchors(self) -> Anchors:
        authority = Authority("http://tsa", self.stamps, self.authority)
        return Anchors(self.log, authority, self.outage, wall=lambda: self.now)

    def publish(self, size: int) -> None:
        TileFolder(self.log).publish(note(size))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@needs_openssl
@pytest.mark.anyio
async def test_the_published_checkpoint_is_anchored_once_an_hour(desk: Desk) -> None:
    anchors = desk.anchors()
    assert await anchors.turn() is None  # nothing is published
    desk.publish(3)
    assert await anchors.turn() == 3
    desk.publish(4)
    desk.now += HOUR - SECOND
    assert await anchors.turn() is None
    desk.now += SECOND
    assert await anchors.turn() == 4
    desk.now += HOUR
    assert await anchors.turn() is None  # the log rests
    assert desk.authority.asked == 2
    found = list(anchored(desk.log))
    assert [one for one, _ in found] == [note(3), note(4)]
    for checkpoint, token in found:
        assert desk.stamps.verify(token, checkpoint) > 0
    assert (desk.log / "anchors" / "3.tsr").stat().st_mode & 0o777 == 0o644


@needs_openssl
@pytest.mark.anyio
async def test_a_restart_remembers_when_it_anchored(desk: Desk) -> None:
    desk.publish(3)
    await desk.anchors().turn()
    token = desk.log / "anchors" / "3.tsr"
    os.utime(token, ns=(NOW * 1000, NOW * 1000))
    desk.publish(4)
    desk.now += HOUR - SECOND
    assert await desk.anchors().turn() is None
    desk.now += SECOND
    assert await desk.anchors().turn() == 4


@needs_openssl
def test_a_token_is_of_one_note_one_authority_and_one_query(desk: Desk, tmp_path: Path) -> None:
    query = desk.stamps.request(note(3))
    token = desk.authority.answer(query.as_bytes())
    desk.stamps.verify(token, note(3), query.nonce)
    other = Stamps(TestAuthority(tmp_path / "other").roots)
    with pytest.raises(ProofError):
        desk.stamps.verify(token, note(4), query.nonce)
    with pytest.raises(ProofError):
        desk.stamps.verify(token, note(3), query.nonce + 1)
    with pytest.raises(ProofError):
        other.verify(token, note(3))
    for at in range(0, len(token), 37):
        flipped = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        with pytest.raises(ProofError):
            desk.stamps.verify(flipped, note(3), query.nonce)
    for cut in (b"", token[:-1], token[: len(token) // 2], b"\x30\x03\x02\x01\x02"):
        with pytest.raises(ProofError):
            desk.stamps.verify(cut, note(3))


@needs_openssl
@pytest.mark.anyio
async def test_what_does_not_verify_is_not_stored(desk: Desk, tmp_path: Path) -> None:
    """An authority whose tokens a strict reader refuses is found out at once, not in ten years."""
    desk.publish(3)
    anchors = desk.anchors()
    stranger = TestAuthority(tmp_path / "other").answer(desk.stamps.request(note(3)).as_bytes())
    broken: list[tuple[OutsideReply | Exception, type[Exception]]] = [
        (OutsideReply(200, stranger), ProofError),
        (OutsideReply(200, b"nonsense"), ProofError),
        (OutsideReply(200, bytes(MAX_TOKEN + 1)), UnavailableError),
        (OutsideReply(500, b""), UnavailableError),
        (UnavailableError("nobody answers, try again"), UnavailableError),
    ]
    for answer, error in broken:
        desk.authority.broken = [answer]
        with pytest.raises(error):
            await anchors.turn()
        assert not (desk.log / "anchors").exists()
        assert await anchors.turn() is None  # not before a minute has gone by
        desk.now += MINUTE
    assert desk.outage.lasts(desk.now) == 5 * MINUTE
    assert await anchors.turn() == 3
    assert desk.outage.lasts(desk.now) == 0


@needs_openssl
def test_a_chain_in_an_order_that_is_not_ders_is_refused(tmp_path: Path) -> None:
    """Authorities exist that write it so; the signature does not cover the order."""
    pytest.importorskip("rfc3161_client", reason="the extra `anchors` is not installed")
    authority = TestAuthority(tmp_path / "tsa", chain=True)
    stamps = Stamps(authority.roots)
    token = authority.answer(stamps.request(note(3)).as_bytes())
    first, second = sorted(authority.chain, key=token.index)
    assert first + second in token
    swapped = token.replace(first + second, second + first)
    verdicts = []
    for one in (token, swapped):
        try:
            stamps.verify(one, note(3))
        except ProofError:
            verdicts.append("refused")
        else:
            verdicts.append("verified")
    assert sorted(verdicts) == ["refused", "verified"]


@pytest.mark.anyio
async def test_a_silent_authority_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rfc3161_client", reason="the extra `anchors` is not installed")
    monkeypatch.setattr(module, "DEADLINE_S", 0.02)
    outside = Outside(hangs={"http://tsa"})
    stamps = Stamps(TestAuthority(tmp_path / "tsa").roots)
    async with asyncio.timeout(10):
        with pytest.raises(UnavailableError, match="silent"):
            await Authority("http://tsa", stamps, outside).stamp(note(3))


def test_anchors_are_read_in_order_and_whole(tmp_path: Path) -> None:
    folder = tmp_path / "anchors"
    assert list(anchored(tmp_path)) == []
    folder.mkdir()
    for size in (10, 9, 100):
        (folder / f"{size}.tsr").write_bytes(b"t%d" % size)
        (folder / f"{size}.checkpoint").write_bytes(b"n%d" % size)
    assert [token for _, token in anchored(tmp_path)] == [b"t9", b"t10", b"t100"]
    (folder / "100.tsr").write_bytes(bytes(MAX_TOKEN + 1))
    with pytest.raises(ProofError, match="too large"):
        list(anchored(tmp_path))
    (folder / "9.checkpoint").unlink()
    with pytest.raises(ProofError, match=r"9\.tsr.*cannot be read"):
        list(anchored(tmp_path))


def test_the_anchor_of_a_range_is_the_first_that_it_is_in_or_else_the_newest(
    tmp_path: Path,
) -> None:
    assert anchor_of(tmp_path, 5, 100) is None
    folder = tmp_path / "anchors"
    folder.mkdir()
    for size in (7, 20, 100, 300):
        (folder / f"{size}.checkpoint").write_bytes(b"note %d" % size)
        (folder / f"{size}.tsr").write_bytes(b"token %d" % size)
    (folder / "words.tsr").write_bytes(b"no anchor")
    for end, size, found in (
        (0, 100, 7), (7, 100, 7), (8, 100, 20), (21, 100, 100), (200, 250, 100), (50, 20, 20),
    ):  # fmt: skip
        assert anchor_of(tmp_path, end, size) == (b"note %d" % found, b"token %d" % found)
    assert anchor_of(tmp_path, 0, 6) is None
