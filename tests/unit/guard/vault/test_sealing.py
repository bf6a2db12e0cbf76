from dataclasses import replace

import pytest

from guard.errors import KeyUnavailableError, ProofError
from guard.ports import DetailVault
from guard.rows import SubjectRow
from guard.vault.envelope import place
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.model import Tier

AT = 1_764_000_000_000_000
ONE, TWO = b"1" * 16, b"2" * 16


@pytest.fixture
def vault(keyring: Keyring) -> DetailVault:
    return EntryVault(keyring)


def subject(keyring: Keyring, tenant: str = "acme") -> SubjectRow:
    return keyring.new_subject(tenant, "eu", "crm", "1", Tier.STANDARD, is_decoy=False)


def test_an_event_part_opens_at_its_place_only(vault: DetailVault) -> None:
    epoch, sealed = vault.seal_event("acme", AT, ONE, b"part")
    vault.seal_event("beta", AT, ONE, b"part")
    assert epoch == "acme/2025-11"
    assert vault.open_event("acme", epoch, ONE, sealed) == b"part"
    assert vault.event_opener("acme", epoch)(ONE, sealed) == b"part"
    for tenant, name, entry_id in (
        ("acme", epoch, TWO),
        ("beta", epoch, ONE),
        ("beta", "beta/2025-11", ONE),
        ("acme", "acme/2025-12", ONE),
    ):
        with pytest.raises(KeyUnavailableError):
            vault.open_event(tenant, name, entry_id, sealed)
        with pytest.raises(KeyUnavailableError):
            vault.event_opener(tenant, name)(entry_id, sealed)


def test_a_subject_part_opens_for_its_customer_and_entry_only(
    vault: DetailVault, keyring: Keyring
) -> None:
    one, other = subject(keyring), subject(keyring)
    sealed = vault.seal_subject(one, ONE, b"part")
    assert vault.open_subject(one, ONE, sealed) == b"part"
    for row, entry_id in (
        (one, TWO),
        (other, ONE),
        (replace(one, tenant="beta"), ONE),
        (replace(one, wrapped_key=None), ONE),
        (replace(other, ref=one.ref), ONE),
    ):
        with pytest.raises(KeyUnavailableError):
            vault.open_subject(row, entry_id, sealed)


def test_event_and_subject_parts_cannot_be_exchanged(vault: DetailVault, keyring: Keyring) -> None:
    row = subject(keyring)
    epoch, sealed = vault.seal_event("acme", AT, ONE, b"part")
    with pytest.raises(KeyUnavailableError):
        vault.open_subject(row, ONE, sealed)
    with pytest.raises(KeyUnavailableError):
        vault.open_event("acme", epoch, ONE, vault.seal_subject(row, ONE, b"part"))


def test_a_flip_of_any_byte_is_a_broken_proof(vault: DetailVault, keyring: Keyring) -> None:
    row = subject(keyring)
    epoch, event = vault.seal_event("acme", AT, ONE, b"part")
    part = vault.seal_subject(row, ONE, b"part")
    for at in range(len(event)):
        with pytest.raises(ProofError):
            vault.open_event("acme", epoch, ONE, _flip(event, at))
        with pytest.raises(ProofError):
            vault.open_subject(row, ONE, _flip(part, at))


def _flip(one: bytes, at: int) -> bytes:
    return one[:at] + bytes([one[at] ^ 1]) + one[at + 1 :]


def test_tags_differ_by_customer_and_number(vault: DetailVault, keyring: Keyring) -> None:
    one, other = subject(keyring), subject(keyring)
    tags = {vault.tag(row, n) for row in (one, other) for n in range(100)}
    assert len(tags) == 200
    assert all(len(tag) == 16 for tag in tags)
    assert vault.tag(one, 5) == vault.tag(replace(one, next_n=9), 5)


def test_an_erased_customer_is_refused_even_when_its_key_was_just_used(
    vault: DetailVault, keyring: Keyring
) -> None:
    row = subject(keyring)
    sealed = vault.seal_subject(row, ONE, b"part")
    erased = replace(row, wrapped_key=None)
    with pytest.raises(KeyUnavailableError, match="erased"):
        vault.open_subject(erased, ONE, sealed)
    with pytest.raises(KeyUnavailableError, match="erased"):
        vault.tag(erased, 0)


def test_the_places_are_those_of_the_format(vault: DetailVault, keyring: Keyring) -> None:
    row = subject(keyring)
    part = vault.seal_subject(row, ONE, b"part")
    where = place("acme", "entry_subjects", "sealed", row.ref, ONE)
    assert keyring.customer_key(row).seal_key.open(part, where) == b"part"
    epoch, event = vault.seal_event("acme", AT, ONE, b"part")
    where = place("acme", "entries", "sealed_event", epoch, ONE)
    assert keyring.epoch_key("acme", epoch).open(event, where) == b"part"
