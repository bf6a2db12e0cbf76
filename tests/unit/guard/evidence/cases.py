"""A published log with several writers, customers and kinds, and bundles of it."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from guard.errors import ProofError
from guard.evidence import standalone
from guard.evidence.checking import EvidenceReport, verify_bundle
from guard.evidence.selecting import Question
from guard.evidence.service import Evidence
from guard.ledger.note import NoteSigner, VerifierKey, parse_vkey, write_note
from guard.ledger.tiles import TileFolder
from guard.ledger.trust import parse_policy
from guard.principals import Principal
from policies.model import Role
from tests.support.log import settle
from tests.support.rig import Rig, make_caller, row_of

AUDITOR = make_caller("aud", role=Role.AUDITOR)
NOTE = "the matter of A. v. B."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A log that was published, and what belongs to it."""

    rig: Rig
    refs: list[str]
    evidence: Evidence
    vkeys: tuple[str, str]
    signer: NoteSigner

    @property
    def keys(self) -> list[VerifierKey]:
        return [parse_vkey(one) for one in self.vkeys]


async def publish(rig: Rig) -> None:
    settle(rig.store)
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())


async def tell(rig: Rig, folder: Path) -> Told:
    """Two agents view three customers, one of them by a masked queue; then all is published."""
    agents = [make_caller("a1"), make_caller("a2")]
    await rig.directory.put(make_caller("desk"), [row_of(one) for one in (*agents, AUDITOR)])
    refs = await rig.customers(3)
    for ref in refs:
        for agent in agents:
            rig.clock.advance(1_000_000)
            await rig.broker.view(agent, rig.asks(ref, await rig.case(ref, agent.id)))
    await publish(rig)
    signer = NoteSigner("t/exports", rig.keyring.signing_key("t/exports"))
    return Told(
        rig=rig,
        refs=refs,
        evidence=Evidence(
            rig.committer, rig.readers, rig.clock, rig.vault, TileFolder(folder / "log"), signer
        ),
        vkeys=(NoteSigner("t", rig.keyring.signing_key("t")).vkey, signer.vkey),
        signer=signer,
    )


async def bundle(told: Told, path: Path, who: Principal = AUDITOR, **asked: object) -> Path:
    """A bundle as a file."""
    question = msgspec.convert({"purpose": NOTE, **asked}, Question)
    pieces = await told.evidence.make(who, question)
    with path.open("wb") as file:
        async for piece in pieces:
            file.write(piece)
    return path


async def take(told: Told, who: Principal, **asked: object) -> None:
    """A bundle that nobody keeps."""
    question = msgspec.convert({"purpose": NOTE, **asked}, Question)
    async for _ in await told.evidence.make(who, question):
        pass


def judge(path: Path, vkeys: tuple[str, ...], policy: str = "") -> EvidenceReport | None:
    """What both verifiers say, which must be the same; None if they refuse."""
    fast: EvidenceReport | None = None
    slow, words = True, ["", ""]
    try:
        trusted = parse_policy(policy.encode()) if policy else None
        fast = verify_bundle(path, [parse_vkey(one) for one in vkeys], trusted)
    except ProofError as error:
        words[0] = str(error)
    try:
        standalone.check(str(path), list(vkeys), policy)
    except standalone.RefusedError as error:
        slow, words[1] = False, str(error)
    assert (fast is not None) == slow, words
    return fast


Change = Callable[[dict[str, bytes]], None]


def rewrite(path: Path, target: Path, change: Change, signer: NoteSigner | None = None) -> Path:
    """A copy of a bundle with other files in it; signed anew if there is a signer."""
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    change(files)
    if signer is not None:
        manifest = json.loads(files["manifest"].decode().split("\n")[1])
        names = [name for name in files if name != "manifest"]
        manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in names}
        text = f"recordguard-evidence/v1\n{json.dumps(manifest, separators=(',', ':'))}\n"
        files["manifest"] = write_note(text, [signer.sign(text)])
    with zipfile.ZipFile(target, "w") as new:
        for name, content in files.items():
            new.writestr(name, content)
    return target
