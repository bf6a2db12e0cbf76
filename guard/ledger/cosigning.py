"""Asks witnesses to cosign a checkpoint (the log's side of C2SP tlog-witness).

All witnesses of the trust policy that have an address are asked at once, each with the proof that
the checkpoint continues the last one it saw, and none for longer than a deadline. One that fails is
left alone for a while, so that a dead machine does not slow every checkpoint.

A witness remembers what this key has signed better than a database that was restored can. One that
holds more than we do, or another history, is the alarm for exactly that:

* if it shows a checkpoint with our own signature that ours does not continue, that is proof;
* without proof, as many must say so as would be believed if they cosigned. A single stranger cannot
  stop the log, and a restored copy cannot outvote its witnesses.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from guard.clock import MINUTE, SECOND, Micros, wall_micros
from guard.errors import ForkError, ProofError, UnavailableError
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, parse_number, parse_text
from guard.ledger.note import (
    VerifierKey,
    encode_base64,
    line_of,
    parse_note,
    signed_by,
    write_note,
)
from guard.ledger.outage import OutageWindow
from guard.ledger.proofs import Proofs
from guard.ledger.trust import TrustPolicy
from guard.ports import OutsideClient

DEADLINE_S = 1.0

# After a failure a witness rests for this long, twice as long after each further one.
FIRST_REST = SECOND
LONGEST_REST = MINUTE
_MOST_DOUBLINGS = 16

_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422
_BODY_TYPE = "text/plain; charset=utf-8"


class _ContradictionError(Exception):
    """A witness says that it knows another history, or a longer one."""


@dataclass(slots=True)
class _Witness:
    """What is known of one witness."""

    name: str
    key: VerifierKey
    address: str
    held: int = 0
    failures: int = 0
    rests_until: Micros = 0


@dataclass(frozen=True, slots=True)
class _Submission:
    """The checkpoint that is to be cosigned."""

    note: bytes
    text: str
    checkpoint: Checkpoint


class Cosigner:
    """Collects the cosignatures of one log's checkpoints."""

    def __init__(
        self,
        policy: TrustPolicy,
        client: OutsideClient,
        proofs: Proofs,
        outage: OutageWindow,
        *,
        deadline_s: float = DEADLINE_S,
        wall: Callable[[], Micros] = wall_micros,
    ) -> None:
        """Ask the witnesses of `policy` through `client`, prove growth from `proofs`.

        `wall` tells the real time, which outages and resting witnesses go by.
        """
        self._policy, self._client, self._proofs = policy, client, proofs
        self.outage = outage
        self._deadline_s, self._wall = deadline_s, wall
        self._witnesses = [
            _Witness(name, policy.witnesses[name], address)
            for name, address in policy.addresses.items()
        ]

    async def collect(self, note: bytes) -> bytes | None:
        """The signed checkpoint `note` with all cosignatures that could be had.

        None if they are no quorum: publish nothing, and ask again with this or a later checkpoint.

        Raises:
            ForkError: Witnesses hold a history that this checkpoint does not continue.
        """
        parsed = parse_note(note)
        checkpoint = parse_text(parsed.text)
        # A note that was cosigned before is asked for anew: only the log's own lines go out.
        own = [line_of(one) for one in parsed.signatures if one.name == checkpoint.origin]
        asked = _Submission(write_note(parsed.text, own), parsed.text, checkpoint)
        awake = [one for one in self._witnesses if one.rests_until <= self._wall()]
        answers = await asyncio.gather(*(self._ask(one, asked) for one in awake))
        lines: list[str] = []
        cosigned, against = set[str](), set[str]()
        for witness, answer in zip(awake, answers, strict=True):
            if answer is None:
                against.add(witness.name)
            elif answer:
                cosigned.add(witness.name)
                lines += answer
        if against and self._policy.wants_witnesses and self._policy.is_quorum(against):
            raise ForkError(
                f"{len(against)} witnesses hold a history that the checkpoint of"
                f" {asked.checkpoint.size} entries does not continue, do not sign: find out which"
                " copy was restored"
            )
        if not self._policy.is_quorum(cosigned):
            self.outage.missed(self._wall())
            return None
        self.outage.met()
        return write_note(asked.text, [*own, *lines])

    def believes(self, note: bytes) -> bool:
        """Whether a quorum of witnesses cosigned this note of the log."""
        try:
            self._policy.open_checkpoint(note)
        except ProofError:
            return False
        return True

    async def _ask(self, witness: _Witness, asked: _Submission) -> list[str] | None:
        """Lines of a cosignature; none if it failed; None if it contradicts without proof."""
        try:
            async with asyncio.timeout(self._deadline_s):
                lines = await self._exchange(witness, asked)
        except _ContradictionError:
            await self._require_no_proof(witness, asked)
            self._rest(witness)
            return None
        except (TimeoutError, UnavailableError, ProofError):
            self._rest(witness)
            return []
        witness.failures = 0
        witness.held = asked.checkpoint.size
        return lines

    def _rest(self, witness: _Witness) -> None:
        rest = min(FIRST_REST * 2**witness.failures, LONGEST_REST)
        witness.failures = min(witness.failures + 1, _MOST_DOUBLINGS)
        witness.rests_until = self._wall() + rest

    async def _exchange(self, witness: _Witness, asked: _Submission) -> list[str]:
        size = asked.checkpoint.size
        if witness.held > size:
            raise _ContradictionError
        # Twice: the first answer may tell which size the witness holds.
        for _ in range(2):
            body = await asyncio.to_thread(self._request, witness.held, asked)
            reply = await self._client.post(witness.address + "/add-checkpoint", body, _BODY_TYPE)
            if reply.status == _OK:
                return _cosignatures(asked.text, reply.body, witness.key)
            if reply.status == _UNPROCESSABLE:
                raise _ContradictionError
            if reply.status != _CONFLICT:
                raise UnavailableError(f"witness answered with status {reply.status}, ask it why")
            held = parse_number(reply.body.decode("ascii", "replace").removesuffix("\n"))
            if held > size or held == witness.held:
                raise _ContradictionError
            witness.held = held
        raise UnavailableError("witness tells another size each time, ask its operator")

    def _request(self, old: int, asked: _Submission) -> bytes:
        size = asked.checkpoint.size
        proof = self._proofs.consistency(old, size) if 0 < old < size else []
        lines = [f"old {old}", *map(encode_base64, proof)]
        return ("\n".join(lines) + "\n\n").encode() + asked.note

    async def _require_no_proof(self, witness: _Witness, asked: _Submission) -> None:
        """Look at what the witness cosigned last.

        Raises:
            ForkError: The log signed it, and the checkpoint does not continue it.
        """
        origin = sha256(asked.checkpoint.origin.encode()).hexdigest()
        try:
            async with asyncio.timeout(self._deadline_s):
                reply = await self._client.get(f"{witness.address}/{origin}/checkpoint")
            shown = self._signed_by_us(reply.body, asked.checkpoint.origin)
        except (TimeoutError, UnavailableError, ProofError):
            return
        if not await asyncio.to_thread(self._continues, asked.checkpoint, shown):
            raise ForkError(
                f"witness `{witness.name}` shows a checkpoint of {shown.size} entries that this log"
                f" signed, and that of {asked.checkpoint.size} does not continue it: do not sign,"
                " find out which copy was restored"
            )

    def _signed_by_us(self, note: bytes, origin: str) -> Checkpoint:
        for key in self._policy.logs:
            if key.name == origin:
                return open_checkpoint(note, key)
        raise ProofError("the policy names no key of this log, add a `log` line")

    def _continues(self, ours: Checkpoint, shown: Checkpoint) -> bool:
        if shown.size > ours.size:
            return False
        if shown.size == 0:
            return True
        if shown.size == ours.size:
            return shown.root == ours.root
        try:
            return self._proofs.root(shown.size) == shown.root
        except ProofError:
            return True  # our own files are missing: nothing is shown by that


def _cosignatures(text: str, body: bytes, key: VerifierKey) -> list[str]:
    """The lines of `key` in an answer; those of unknown keys are left out, as the standard asks."""
    answered = parse_note(text.encode() + b"\n" + body)
    if not signed_by(answered, [key]):
        raise ProofError("witness answered without its cosignature, compare its key")
    return [
        line_of(one)
        for one in answered.signatures
        if (one.name, one.key_id) == (key.name, key.key_id)
    ]
