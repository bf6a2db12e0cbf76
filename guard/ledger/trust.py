"""Trust policies (C2SP tlog-policy): which logs and witnesses a verifier believes.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <k|any|all> <member>...
    quorum <name|none>

A checkpoint is believed when one of the logs signed it and the quorum of witnesses cosigned it. A
witness's address is its submission prefix; who only verifies needs none.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from guard.errors import ConfigurationError, ProofError
from guard.ledger.checkpoint import Checkpoint, parse_text
from guard.ledger.note import (
    LOG_TYPES,
    WITNESS_TYPES,
    SignatureType,
    VerifierKey,
    parse_note,
    parse_vkey,
    signed_by,
)

# The standard asks for at least 32 logs, witnesses and groups.
MAX_LINES = 1024
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """Members of which `threshold` must cosign."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """A parsed policy; names of witnesses and groups share one space."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, Group]
    quorum: str
    # Of those witnesses that have one, by name.
    addresses: Mapping[str, str]

    def open_checkpoint(self, note: bytes) -> Checkpoint:
        """Read a checkpoint that this policy believes.

        Raises:
            ProofError: No log of the policy signed it, or too few of its witnesses did.
        """
        parsed = parse_note(note)
        checkpoint = parse_text(parsed.text)
        if checkpoint.origin not in {key.name for key in signed_by(parsed, self.logs)}:
            raise ProofError("no log of the policy signed this checkpoint, ask for another")
        seen = set(signed_by(parsed, tuple(self.witnesses.values())))
        if not self.is_quorum(name for name, key in self.witnesses.items() if key in seen):
            raise ProofError(
                f"{len(seen)} known witnesses cosigned and the quorum wants more, wait"
            )
        return checkpoint

    @property
    def wants_witnesses(self) -> bool:
        """Whether a checkpoint without any cosignature is not believed."""
        return self.quorum != _NONE

    def is_quorum(self, witnesses: Iterable[str]) -> bool:
        """Whether the witnesses of these names are as many as the policy wants."""
        return self._agrees(self.quorum, frozenset(witnesses))

    def _agrees(self, name: str, seen: frozenset[str]) -> bool:
        if name == _NONE:
            return True
        if name in self.witnesses:
            return name in seen
        group = self.groups[name]
        return sum(self._agrees(one, seen) for one in group.members) >= group.threshold


class _Reader:
    """Collects the lines of one policy."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.addresses: dict[str, str] = {}
        self.members: set[str] = set()
        self.quorum: str | None = None

    def read(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                key = _new_key(vkey, LOG_TYPES, self.logs)
                self.logs.append(key)
            case ["witness", name, vkey, *address] if len(address) <= 1:
                key = _new_key(vkey, WITNESS_TYPES, self.witnesses.values())
                self.witnesses[self._new_name(name)] = key
                if address:
                    self.addresses[name] = address[0].rstrip("/")
            case ["group", name, threshold, *members] if members:
                group = Group(_threshold(threshold, len(members)), tuple(members))
                self._join(members)
                self.groups[self._new_name(name)] = group
            case ["quorum", name] if self.quorum is None:
                if name != _NONE and not self._is_known(name):
                    raise ProofError("quorum is not defined above")
                self.quorum = name
            case _:
                raise ProofError("line is not understood or a second quorum")

    def _is_known(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _new_name(self, name: str) -> str:
        if name == _NONE or self._is_known(name):
            raise ProofError("name is taken")
        return name

    def _join(self, members: list[str]) -> None:
        for member in members:
            if not self._is_known(member) or member in self.members:
                raise ProofError("member is not defined above or is in a group already")
            self.members.add(member)


def _new_key(
    vkey: str, kinds: Collection[SignatureType], others: Iterable[VerifierKey]
) -> VerifierKey:
    key = parse_vkey(vkey)
    if key.kind not in kinds:
        raise ProofError("key has the type of another use")
    if any(key.public == other.public for other in others):
        raise ProofError("key is there twice")
    return key


def _threshold(text: str, count: int) -> int:
    if text in {"any", "all"}:
        return 1 if text == "any" else count
    if text not in {str(n) for n in range(1, count + 1)}:
        raise ProofError("threshold is not `any`, `all` or a number of members")
    return int(text)


def parse_policy(content: bytes) -> TrustPolicy:
    """Read a policy file.

    Raises:
        ConfigurationError: A line is wrong (it is named), or there is no quorum.
    """
    reader = _Reader()
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    if len(lines) > MAX_LINES:
        raise ConfigurationError(f"trust policy has more than {MAX_LINES} lines, shorten it")
    for number, line in enumerate(lines, 1):
        if any(c < " " and c != "\t" for c in line):
            raise ConfigurationError(f"trust policy, line {number}: control character, remove it")
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.read(words)
        except ProofError as error:
            raise ConfigurationError(f"trust policy, line {number}: {error}, correct it") from None
    if reader.quorum is None:
        raise ConfigurationError("trust policy has no quorum, add a line such as `quorum none`")
    return TrustPolicy(
        logs=tuple(reader.logs),
        witnesses=reader.witnesses,
        groups=reader.groups,
        quorum=reader.quorum,
        addresses=reader.addresses,
    )
