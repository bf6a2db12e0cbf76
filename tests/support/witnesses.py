"""Witnesses without a network: real ones, reached by address through a client in memory."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from guard.clock import SECOND, Micros
from guard.errors import UnavailableError
from guard.ledger.note import NoteSigner
from guard.ledger.trust import TrustPolicy, parse_policy
from guard.ledger.witness import Witness, begin_memory
from guard.ports import OutsideReply

NOW: Micros = 1_764_000_000 * SECOND


def make_signer(name: str, number: int, *, ml_dsa: bool = False) -> NoteSigner:
    seed = bytes([number]) * 32
    second = MLDSA44PrivateKey.from_seed_bytes(seed) if ml_dsa else None
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(seed), second)


@dataclass
class Outside:
    """`OutsideClient` to witnesses in this process; what is in `answers` comes first."""

    witnesses: dict[str, Witness] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    answers: dict[str, list[OutsideReply]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    now: Micros = NOW

    def wall(self) -> Micros:
        return self.now

    async def post(self, url: str, content: bytes, content_type: str) -> OutsideReply:
        assert content_type
        witness = await self._reach(url.removesuffix("/add-checkpoint"), "post")
        if isinstance(witness, OutsideReply):
            return witness
        answer = witness.add_checkpoint(content, self.now)
        return OutsideReply(answer.status, answer.body)

    async def get(self, url: str) -> OutsideReply:
        address, origin_hash, _ = url.rsplit("/", 2)
        witness = await self._reach(address, "get")
        if isinstance(witness, OutsideReply):
            return witness
        note = witness.checkpoint(origin_hash)
        return OutsideReply(404, b"") if note is None else OutsideReply(200, note)

    async def close(self) -> None:
        """Nothing to give back."""

    async def _reach(self, address: str, how: str) -> Witness | OutsideReply:
        self.asked.append(f"{how} {address}")
        if address in self.hangs:
            await asyncio.Event().wait()
        if address in self.down:
            raise UnavailableError("nobody answers at that address, try again")
        waiting = self.answers.get(f"{how} {address}")
        return waiting.pop(0) if waiting else self.witnesses[address]


def make_outside(folder: Path, log: NoteSigner, count: int = 3) -> tuple[Outside, TrustPolicy]:
    """`count` witnesses of which two must cosign; addresses `http://w1` and so on."""
    outside, lines = Outside(), [f"log {log.vkey}"]
    for n in range(1, count + 1):
        signer = make_signer(f"w{n}.example", 100 + n, ml_dsa=n == 1)
        memory = folder / f"w{n}" / "seen.json"
        begin_memory(memory)
        logs = {log.verifier.name: log.verifier}
        outside.witnesses[f"http://w{n}"] = Witness(signer, logs, memory)
        lines.append(f"witness W{n} {signer.cosigner.encode()} http://w{n}/")
    names = " ".join(f"W{n}" for n in range(1, count + 1))
    lines += [f"group all-of-them {min(2, count)} {names}", "quorum all-of-them"]
    return outside, parse_policy("\n".join(lines).encode())
