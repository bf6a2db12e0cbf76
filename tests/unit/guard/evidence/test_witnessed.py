"""Bundles of a log that witnesses cosign, as it is published, before both verifiers."""

from dataclasses import replace
from pathlib import Path

import pytest

from guard.clock import HOUR, SECOND
from guard.errors import ProofError
from guard.evidence import standalone
from guard.evidence.checking import verify_bundle
from guard.ledger.cosigning import Cosigner
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.outage import OutageWindow
from guard.ledger.proofs import Proofs
from guard.ledger.publisher import Publisher
from guard.ledger.trust import parse_policy
from tests.support.rig import Rig
from tests.support.witnesses import NOW, make_outside, make_signer
from tests.unit.guard.evidence.cases import Change, Told, bundle, judge, rewrite, tell

pytestmark = pytest.mark.anyio
WITNESSES = [make_signer(f"w{n}.example", 100 + n, ml_dsa=n == 1) for n in (1, 2, 3)]


async def tell_witnessed(rig: Rig, folder: Path) -> Told:
    """As `tell`; two of three witnesses cosign before anything is published."""
    signer = NoteSigner("t", rig.keyring.signing_key("t"))
    outside, policy = make_outside(folder / "witnesses", signer)
    outage = OutageWindow("witnesses", folder / "outage", HOUR)
    log = folder / "log"
    cosigner = Cosigner(policy, outside, Proofs(log), outage, wall=outside.wall)
    publisher = Publisher(signer, log_dir=log, high_water=folder / "high-water", cosigner=cosigner)
    return await tell(replace(rig, publisher=publisher), folder)


def policy_of(told: Told, quorum: str) -> str:
    """A reader's own policy: `A`, `B` and `C` by Ed25519, `M` is `A` by ML-DSA-44."""
    keys = [one.cosigner.encode() for one in WITNESSES]
    second = WITNESSES[0].second
    assert second is not None
    named = [*zip("ABC", keys, strict=True), ("M", second.encode())]
    lines = [f"witness {name} {key}" for name, key in named]
    return "\n".join([f"log {told.vkeys[0]}", *lines, "group two 2 A B C", quorum, ""])


def keep_signatures(*names: str) -> Change:
    """Leave the lines of these alone under the checkpoint."""

    def change(files: dict[str, bytes]) -> None:
        text, _, lines = files["checkpoint"].decode().rpartition("\n\n")
        kept = [one for one in lines.splitlines() if one.split(" ")[1] in names]
        files["checkpoint"] = ("\n".join([text, "", *kept]) + "\n").encode()

    return change


def cosigned_twice(files: dict[str, bytes]) -> None:
    """The first witness cosigns with both of its keys."""
    text = files["checkpoint"].decode().rpartition("\n\n")[0] + "\n"
    files["checkpoint"] += WITNESSES[0].cosign(text, NOW // SECOND).encode()


async def test_a_bundle_without_the_quorum_that_the_reader_wants_is_refused(
    rig: Rig, tmp_path: Path
) -> None:
    told = await tell_witnessed(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", customer=told.refs[0])
    _, exporter = told.vkeys
    # The published file, byte for byte, and not what the log alone signed.
    published = (tmp_path / "log" / "checkpoint").read_bytes()
    names = {line.name for line in parse_note(published).signatures}
    assert len(names - {"t"}) >= 2
    report = judge(path, (exporter,), policy_of(told, "quorum two"))
    assert report is not None
    assert report.is_cosigned
    copy = tmp_path / "copy.zip"
    for kept in (("t",), ("t", "w1.example"), ("t", "w3.example"), ("w1.example", "w2.example")):
        strip = keep_signatures(*kept)
        # By somebody on the way, and by the exporter.
        assert judge(rewrite(path, copy, strip), (exporter,), policy_of(told, "quorum two")) is None
        signed = rewrite(path, copy, strip, told.signer)
        assert judge(signed, (exporter,), policy_of(told, "quorum two")) is None, kept
    alone = rewrite(path, copy, keep_signatures("t"), told.signer)
    report = judge(alone, (exporter,), policy_of(told, "quorum none"))
    assert report is not None
    assert not report.is_cosigned


async def test_the_verifier_in_the_bundle_says_what_it_did_not_check(
    rig: Rig, tmp_path: Path
) -> None:
    told = await tell_witnessed(rig, tmp_path)
    bare = await bundle(told, tmp_path / "bare.zip")
    path = rewrite(bare, tmp_path / "case.zip", cosigned_twice, told.signer)
    keys = list(told.vkeys)
    assert "witnesses NOT CHECKED" in standalone.check(str(path), keys)
    said = standalone.check(str(path), keys, policy_of(told, "quorum two"))
    assert "; cosigned by " in said
    assert said.endswith("(NOT CHECKED, ML-DSA-44: M)")
    # What it cannot read it does not count; the library counts it.
    policy = policy_of(told, "quorum M")
    assert verify_bundle(path, told.keys, parse_policy(policy.encode())).is_cosigned
    with pytest.raises(standalone.RefusedError, match="Ed25519"):
        standalone.check(str(path), keys, policy)
    stripped = rewrite(path, tmp_path / "copy.zip", keep_signatures("t"), told.signer)
    with pytest.raises(ProofError, match="quorum"):
        verify_bundle(stripped, told.keys, parse_policy(policy.encode()))
    nobody = standalone.check(str(stripped), keys, policy_of(told, "quorum none"))
    assert "no witness that counts cosigned" in nobody
