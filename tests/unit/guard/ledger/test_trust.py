import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ConfigurationError, ProofError
from guard.ledger.checkpoint import Checkpoint
from guard.ledger.note import NoteSigner, write_note
from guard.ledger.trust import MAX_LINES, parse_policy


def signer(name: str, number: int) -> NoteSigner:
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


LOG = signer("example.com/log", 1)
WITNESSES = [signer(f"w{n}.example", 10 + n) for n in range(5)]
W = [one.cosigner.encode() for one in WITNESSES]
TEXT = Checkpoint("example.com/log", 3, b"r" * 32).text()
POLICY = f"""
# who we believe
\tlog {LOG.vkey} https://example.com/log
witness X1 {W[0]}
witness X2 {W[1]} https://w1.example/
witness X3 {W[2]}
group X 2 X1 X2 X3
witness Y1 {W[3]}
witness Y2 {W[4]}
group Y any Y1 Y2
group both all X Y
quorum both
"""


def note(*witnesses: int) -> bytes:
    lines = [LOG.sign(TEXT), *(WITNESSES[n].cosign(TEXT, 1000 + n) for n in witnesses)]
    return write_note(TEXT, lines)


@pytest.mark.parametrize("seen", [(0, 1, 3), (0, 2, 4), (1, 2, 3, 4), (0, 1, 2, 3, 4)])
def test_a_quorum_of_witnesses_is_believed(seen: tuple[int, ...]) -> None:
    assert parse_policy(POLICY.encode()).open_checkpoint(note(*seen)).size == 3


@pytest.mark.parametrize("seen", [(), (0,), (0, 1), (3, 4), (0, 3), (0, 0, 3)])
def test_less_than_a_quorum_is_not(seen: tuple[int, ...]) -> None:
    with pytest.raises(ProofError, match="quorum"):
        parse_policy(POLICY.encode()).open_checkpoint(note(*seen))


def test_the_quorum_may_be_one_witness_or_none() -> None:
    one = f"log {LOG.vkey}\nwitness A {W[0]}\nquorum A\n"
    assert parse_policy(one.encode()).open_checkpoint(note(0)).size == 3
    with pytest.raises(ProofError):
        parse_policy(one.encode()).open_checkpoint(note(1))
    assert parse_policy(f"log {LOG.vkey}\nquorum none".encode()).open_checkpoint(note()).size == 3


def test_a_checkpoint_of_an_unknown_log_is_not_believed() -> None:
    stranger = signer("example.com/log", 2)
    policy = parse_policy(f"log {LOG.vkey}\nquorum none\n".encode())
    with pytest.raises(ProofError, match="no log"):
        policy.open_checkpoint(write_note(TEXT, [stranger.sign(TEXT)]))
    other = Checkpoint("example.com/else", 3, b"r" * 32).text()
    with pytest.raises(ProofError, match="no log"):
        policy.open_checkpoint(write_note(other, [LOG.sign(other)]))


@pytest.mark.parametrize(
    "line",
    [
        "log",
        f"log {LOG.vkey} u x",
        f"log {W[0]}",
        "log x",
        f"log {LOG.vkey}",
        "witness A",
        f"witness A {LOG.vkey}",
        f"witness none {W[1]}",
        f"witness A {W[1]}",
        f"witness B {W[0]}",
        "group G any",
        "group G 0 A",
        "group G 2 A",
        "group G 01 A",
        "group G +1 A",
        "group G some A",
        "group G any B",
        "group G any A A",
        "group G any none",
        "group A any A",
        "group none any A",
        "group G any A\ngroup H any A",
        "quorum",
        "quorum B",
        "quorum A A",
        "quorum A\nquorum A",
        "sigsum x",
        "log\x01",
        "quorum A\r",
    ],
)
def test_a_wrong_line_is_named(line: str) -> None:
    head = f"log {LOG.vkey}\nwitness A {W[0]}\n"
    with pytest.raises(ConfigurationError, match=r"line [34]"):
        parse_policy((head + line + "\n").encode())


def test_a_policy_has_a_quorum_and_an_end() -> None:
    with pytest.raises(ConfigurationError, match="no quorum"):
        parse_policy(f"log {LOG.vkey}\n".encode())
    with pytest.raises(ConfigurationError, match="shorten"):
        parse_policy(b"\n" * MAX_LINES + b"quorum none\n")


def test_names_are_bytes() -> None:
    text = f"witness \udcff {W[0]}\nquorum \udcff\n".encode("utf-8", "surrogateescape")
    assert "\udcff" in parse_policy(text).witnesses
