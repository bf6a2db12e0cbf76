import pytest

from guard.errors import KeyUnavailableError, ProofError
from guard.vault.envelope import OVERHEAD, ChangedBytesError, SealKey, place, within

KEY = bytes(range(32))
HERE = place("acme", "entries", "sealed_event", b"\x01\x02")


def test_a_value_opens_where_it_was_sealed() -> None:
    sealed = SealKey(KEY).seal(b"a value", HERE)
    assert SealKey(KEY).open(sealed, HERE) == b"a value"
    assert len(sealed) == len(b"a value") + OVERHEAD
    assert sealed[0] == 1


def test_a_value_of_version_1_opens_for_ever() -> None:
    sealed = bytes.fromhex("01000102030405060708090a0b206dba7fa08b05c7a68ff486b3e9350464d9d595529d")
    assert SealKey(KEY).open(sealed, HERE) == b"golden"


def test_the_same_value_never_looks_the_same() -> None:
    key = SealKey(KEY)
    assert len({key.seal(b"x", HERE) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("other", "entries", "sealed_event", b"\x01\x02"),
        place("acme", "subjects", "sealed_event", b"\x01\x02"),
        place("acme", "entries", "sealed", b"\x01\x02"),
        place("acme", "entries", "sealed_event", b"\x01\x03"),
        place("acme", "entries", "sealed_event"),
        place("acmeentries", "", "sealed_event", b"\x01\x02"),
        b"",
    ],
)
def test_a_value_does_not_open_elsewhere(elsewhere: bytes) -> None:
    sealed = SealKey(KEY).seal(b"a value", HERE)
    with pytest.raises(ChangedBytesError):
        SealKey(KEY).open(sealed, elsewhere)


def test_a_flip_of_any_byte_is_refused() -> None:
    key = SealKey(KEY)
    sealed = key.seal(b"a value", HERE)
    for at in range(len(sealed)):
        for bit in (1, 128):
            changed = sealed[:at] + bytes([sealed[at] ^ bit]) + sealed[at + 1 :]
            with pytest.raises(ChangedBytesError):
                key.open(changed, HERE)


def test_every_shorter_and_a_longer_value_is_refused() -> None:
    key = SealKey(KEY)
    sealed = key.seal(b"a value", HERE)
    for changed in (*(sealed[:n] for n in range(len(sealed))), sealed + b"\0"):
        with pytest.raises(ChangedBytesError):
            key.open(changed, HERE)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(ChangedBytesError):
        SealKey(bytes(32)).open(SealKey(KEY).seal(b"a value", HERE), HERE)


def test_a_changed_value_is_a_missing_key_and_a_broken_proof() -> None:
    assert issubclass(ChangedBytesError, KeyUnavailableError)
    assert issubclass(ChangedBytesError, ProofError)


def test_no_two_places_look_alike() -> None:
    assert place("a", "bc") != place("ab", "c")
    assert place("a", "") != place("a")
    assert place("é") == place("é".encode())
    assert within(place("a", "b"), b"c") == place("a", "b", "c")
