import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from guard.clock import MINUTE, SECOND
from guard.errors import ForkError, ProofError
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.cosigning import Cosigner
from guard.ledger.note import write_note
from guard.ledger.outage import OutageWindow
from guard.ledger.proofs import Proofs
from guard.ledger.tiles import TileEdge, TileFolder
from guard.ledger.trust import parse_policy
from guard.ports import OutsideReply
from tests.support.witnesses import Outside, make_outside, make_signer
from tests.unit.guard.ledger import reference

pytestmark = pytest.mark.anyio

LOG = make_signer("example.com/log", 1)
LEAVES = [b"%d" % n for n in range(600)]
FORGED = [*LEAVES[:3], b"forged", *LEAVES[4:]]
# Sizes at which a checkpoint was published, and so the partial tiles of that size.
PUBLISHED = {1, 4, 5, 6, 200, 256, 300, 301, 400, 500, 600}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def note(size: int, leaves: Sequence[bytes] = LEAVES) -> bytes:
    root = reference.mth(list(leaves[:size]))
    return sign_checkpoint(Checkpoint("example.com/log", size, root), LOG)


def publish(folder: Path, size: int, leaves: Sequence[bytes] = LEAVES) -> Path:
    edge, tiles = TileEdge(), TileFolder(folder)
    for leaf in leaves[:size]:
        tiles.write(edge.append(leaf))
        if edge.size in PUBLISHED:
            tiles.write(edge.partials())
    return folder


class Desk:
    """A log with its witnesses."""

    def __init__(self, tmp_path: Path, count: int = 3) -> None:
        self.folder = tmp_path
        self.outside, self.policy = make_outside(tmp_path, LOG, count)
        self.outage = OutageWindow("quorum", tmp_path / "outage", 240 * MINUTE)

    def cosigner(self, leaves: Sequence[bytes] = LEAVES, *, patience: float = 5.0) -> Cosigner:
        log = publish(self.folder / sha256(b"".join(leaves)).hexdigest()[:8], 600, leaves)
        return Cosigner(
            self.policy,
            self.outside,
            Proofs(log),
            self.outage,
            deadline_s=patience,
            wall=self.outside.wall,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_every_witness_that_answers_is_under_the_note(desk: Desk) -> None:
    cosigner = desk.cosigner()
    for size in (0, 1, 5, 5, 256, 300, 600):
        cosigned = await cosigner.collect(note(size))
        assert cosigned is not None
        assert desk.policy.open_checkpoint(cosigned).size == size
        # The log, three witnesses, and the second key of the first, which is unknown here.
        assert cosigned.count(b"\xe2\x80\x94") == 1 + 3
        assert cosigned.startswith(note(size))


async def test_it_believes_what_a_quorum_cosigned_and_nothing_else(desk: Desk) -> None:
    cosigner = desk.cosigner()
    cosigned = await cosigner.collect(note(5))
    assert cosigned is not None
    assert cosigner.believes(cosigned)
    assert not cosigner.believes(note(5))
    assert not cosigner.believes(cosigned.replace(b"\n5\n", b"\n6\n"))


async def test_a_restart_learns_from_the_witness_where_it_is(desk: Desk) -> None:
    assert await desk.cosigner().collect(note(300)) is not None
    desk.outside.asked.clear()
    assert await desk.cosigner().collect(note(300)) is not None
    assert await desk.cosigner().collect(note(301)) is not None
    assert desk.outside.asked.count("post http://w1") == 4


async def test_a_quorum_is_enough_and_less_is_an_outage(desk: Desk) -> None:
    cosigner = desk.cosigner()
    desk.outside.down = {"http://w3"}
    cosigned = await cosigner.collect(note(5))
    assert cosigned is not None
    assert desk.policy.open_checkpoint(cosigned).size == 5
    desk.outside.down = {"http://w3", "http://w2"}
    assert await cosigner.collect(note(6)) is None
    assert desk.outage.warning(desk.outside.now).startswith("no quorum since")
    desk.outside.down = set()
    desk.outside.now += MINUTE
    assert await cosigner.collect(note(6)) is not None
    assert desk.outage.lasts(desk.outside.now) == 0


async def test_a_witness_that_failed_rests_longer_each_time(desk: Desk) -> None:
    cosigner = desk.cosigner()
    desk.outside.down = {"http://w3"}
    tries = []
    for second in range(20):
        desk.outside.asked.clear()
        await cosigner.collect(note(5))
        if "post http://w3" in desk.outside.asked:
            tries.append(second)
        desk.outside.now += SECOND
    assert tries == [0, 1, 3, 7, 15]


async def test_a_witness_that_hangs_costs_the_deadline_and_no_more(desk: Desk) -> None:
    desk.outside.hangs = {"http://w2"}
    async with asyncio.timeout(10):
        assert await desk.cosigner(patience=0.05).collect(note(5)) is not None
    desk.outside.hangs = {"http://w1", "http://w2", "http://w3"}
    desk.outside.now += MINUTE
    async with asyncio.timeout(10):
        assert await desk.cosigner(patience=0.05).collect(note(6)) is None


@pytest.mark.parametrize(
    "bad",
    [
        OutsideReply(500, b""),
        OutsideReply(302, b""),
        OutsideReply(200, b""),
        OutsideReply(200, b"nonsense\n"),
        OutsideReply(200, make_signer("stranger", 9).cosign("x\n", 1).encode()),
        OutsideReply(200, make_signer("w3.example", 103).cosign("x\n", 1).encode()),
        OutsideReply(200, b"\xff"),
        OutsideReply(409, b"many\n"),
        OutsideReply(409, b"\xff\n"),
        OutsideReply(409, b"-1\n"),
    ],
    ids=range(10),
)
async def test_what_is_no_cosignature_counts_as_none(desk: Desk, bad: OutsideReply) -> None:
    desk.outside.answers["post http://w3"] = [bad]
    cosigned = await desk.cosigner().collect(note(5))
    assert cosigned is not None
    assert cosigned.count(b"\xe2\x80\x94") == 1 + 2


async def test_a_witness_that_tells_another_size_each_time_is_given_up(desk: Desk) -> None:
    desk.outside.answers["post http://w3"] = [OutsideReply(409, b"1\n"), OutsideReply(409, b"2\n")]
    assert await desk.cosigner().collect(note(5)) is not None
    assert desk.outside.asked.count("post http://w3") == 2


async def test_a_restored_log_is_told_by_one_witness_that_shows_the_later_checkpoint(
    desk: Desk,
) -> None:
    assert await desk.cosigner().collect(note(300)) is not None
    desk.outside.down = {"http://w1", "http://w2"}
    with pytest.raises(ForkError, match="shows a checkpoint of 300"):
        await desk.cosigner().collect(note(200))


@pytest.mark.parametrize(("first", "then"), [(300, 300), (300, 400)])
async def test_a_second_history_is_refused_and_proven(desk: Desk, first: int, then: int) -> None:
    assert await desk.cosigner().collect(note(first)) is not None
    with pytest.raises(ForkError, match="does not continue it"):
        await desk.cosigner(FORGED).collect(note(then, FORGED))
    # What was cosigned before is still cosigned.
    assert await desk.cosigner().collect(note(500)) is not None


@pytest.mark.parametrize("shown", ["nothing", "not ours", "old", "nobody", "hangs", "nonsense"])
async def test_a_single_stranger_cannot_stop_the_log(desk: Desk, shown: str) -> None:
    desk.outside.answers["post http://w3"] = [OutsideReply(409, b"999\n")]
    other = Checkpoint("example.com/log", 999, bytes(32))
    desk.outside.answers["get http://w3"] = [
        {
            "nothing": OutsideReply(404, b""),
            "not ours": OutsideReply(
                200, sign_checkpoint(other, make_signer("example.com/log", 2))
            ),
            "old": OutsideReply(200, note(4)),
            "nobody": OutsideReply(200, note(0)),
            "hangs": OutsideReply(200, note(5)),
            "nonsense": OutsideReply(200, b"\xff"),
        }[shown]
    ]
    cosigned = await desk.cosigner().collect(note(5))
    assert cosigned is not None
    assert cosigned.count(b"\xe2\x80\x94") == 1 + 2


async def test_as_many_as_a_quorum_are_believed_without_proof(desk: Desk) -> None:
    for n in (2, 3):
        desk.outside.answers[f"post http://w{n}"] = [OutsideReply(422, b"")]
    with pytest.raises(ForkError, match="2 witnesses"):
        await desk.cosigner().collect(note(5))


async def test_files_that_are_missing_prove_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.outside.answers["post http://w3"] = [OutsideReply(409, b"999\n")]
    desk.outside.answers["get http://w3"] = [OutsideReply(200, note(300, FORGED))]
    empty = Cosigner(
        desk.policy, desk.outside, Proofs(tmp_path / "none"), desk.outage, wall=desk.outside.wall
    )
    assert await empty.collect(note(301)) is not None


async def test_a_quorum_of_none_asks_and_needs_nobody(tmp_path: Path) -> None:
    outside, policy = make_outside(tmp_path, LOG, 1)
    lines = [
        f"log {LOG.vkey}",
        f"witness A {policy.witnesses['W1'].encode()} http://w1",
        "quorum none",
    ]
    outage = OutageWindow("quorum", tmp_path / "outage", MINUTE)
    log = Proofs(publish(tmp_path / "log", 600))
    asking = parse_policy("\n".join(lines).encode())
    cosigner = Cosigner(asking, outside, log, outage, wall=outside.wall)
    outside.down = {"http://w1"}
    assert await cosigner.collect(note(5)) == note(5)
    outside.down, outside.now = set(), outside.now + MINUTE
    cosigned = await cosigner.collect(note(5))
    assert cosigned is not None
    assert cosigned.count(b"\xe2\x80\x94") == 2
    outside.answers["post http://w1"] = [OutsideReply(422, b"")]
    outside.answers["get http://w1"] = [OutsideReply(404, b"")]
    assert await cosigner.collect(note(6)) == note(6)


@pytest.mark.parametrize("logs", ["", f"log {make_signer('example.com/else', 7).vkey}\n"])
async def test_a_policy_without_the_log_cannot_weigh_proof(tmp_path: Path, logs: str) -> None:
    outside, policy = make_outside(tmp_path, LOG, 1)
    text = f"{logs}witness A {policy.witnesses['W1'].encode()} http://w1\nquorum none\n"
    outage = OutageWindow("quorum", tmp_path / "outage", MINUTE)
    proofs = Proofs(publish(tmp_path / "log", 600))
    cosigner = Cosigner(parse_policy(text.encode()), outside, proofs, outage, wall=outside.wall)
    assert await cosigner.collect(note(300)) is not None
    assert await cosigner.collect(note(200)) == note(200)


async def test_one_history_to_each_is_cosigned_once(desk: Desk) -> None:
    """The split view: an auditor is shown one history, security another."""
    auditor = await desk.cosigner().collect(note(300))
    assert auditor is not None
    assert desk.policy.open_checkpoint(auditor).size == 300
    with pytest.raises(ForkError):
        await desk.cosigner(FORGED).collect(note(300, FORGED))
    # Shown without the witnesses' word, or with that of the other history, it is not believed.
    alone = note(300, FORGED)
    with pytest.raises(ProofError, match="quorum"):
        desk.policy.open_checkpoint(alone)
    lines = auditor.decode().split("\n\n")[1].splitlines(keepends=True)[1:]
    with pytest.raises(ProofError, match="does not hold"):
        desk.policy.open_checkpoint(alone + "".join(lines).encode())
    text = alone.decode().split("\n\n")[0] + "\n"
    with pytest.raises(ProofError):
        desk.policy.open_checkpoint(write_note(text, lines))


def test_outside_is_a_client() -> None:
    assert Outside().wall() > 0
