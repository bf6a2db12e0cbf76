from pathlib import Path

import msgspec
import pytest

from api.baselines import decode, digest_of, encode, read, write
from guard.errors import InvalidRequestError, ProofError
from guard.events import (
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    History,
    ProfileEvent,
    ReviewEvent,
)
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from tests.support.makers import NOON, TENANT

PROFILE = AgentProfile(agent_id="a1", team="team-1")
HISTORY = History(
    profiles=(PROFILE,),
    events=(
        ProfileEvent(position=0, ts=NOON, profile=PROFILE),
        CaseEvent(
            position=1,
            ts=NOON + 1,
            case_id="k1",
            customer_id="c1",
            opened_by=None,
            channel="phone",
            is_open=True,
        ),
        AssignmentEvent(
            position=2,
            ts=NOON + 2,
            case_id="k1",
            customer_id="c1",
            agent_id="a1",
            how="inbound",
            is_start=True,
        ),
        AccessEvent(position=3, ts=NOON + 3, agent_id="a1", customer_id="secret-customer"),
        ReviewEvent(position=4, ts=NOON + 4, agent_id="a1", by="ana", what="honest"),
        AccessEvent(position=5, ts=NOON + 5, agent_id="a1", customer_id="c2"),
    ),
)
PLAIN = encode(HISTORY)
DIGEST = digest_of(PLAIN)


@pytest.fixture
def vault(tmp_path: Path) -> EntryVault:
    keys = tmp_path / "keys"
    return EntryVault(Keyring.open((keys / "root.key").as_uri(), keys / "keyring.json"))


@pytest.fixture
def folder(tmp_path: Path, vault: EntryVault) -> Path:
    folder = tmp_path / "baselines"
    assert write(folder, vault, TENANT, NOON, PLAIN) == DIGEST
    return folder


def test_every_kind_of_event_comes_back_in_order_of_time() -> None:
    assert decode(PLAIN) == HISTORY


def test_equal_histories_have_equal_bytes_and_digests() -> None:
    assert encode(decode(PLAIN)) == PLAIN


@pytest.mark.parametrize(
    "plain", [b"", b"\xff", PLAIN[:-1], msgspec.msgpack.encode([2, [], [], [], [], [], []])]
)
def test_bytes_of_another_release_or_damaged_are_refused(plain: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="of another release"):
        decode(plain)


def test_what_was_written_is_read_by_its_digest(folder: Path, vault: EntryVault) -> None:
    assert read(folder, vault, TENANT, DIGEST) == HISTORY


def test_nobody_reads_the_file_without_the_keys(folder: Path) -> None:
    content = (folder / DIGEST).read_bytes()
    assert b"secret-customer" not in content
    assert folder.stat().st_mode & 0o777 == 0o700


def test_only_the_finished_file_is_left(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == [DIGEST]


def test_another_tenant_does_not_get_it(folder: Path, vault: EntryVault) -> None:
    with pytest.raises(InvalidRequestError, match="another tenant's"):
        read(folder, vault, "other", DIGEST)


def test_a_file_that_is_not_there_is_asked_for(folder: Path, vault: EntryVault) -> None:
    with pytest.raises(InvalidRequestError, match="restore it from its backup"):
        read(folder, vault, TENANT, "0" * 64)


@pytest.mark.parametrize("name", ["", "../" + "a" * 61, "/" * 64, DIGEST[:-1], DIGEST + "0"])
def test_nothing_but_a_digest_becomes_a_path(folder: Path, vault: EntryVault, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="64 hex digits"):
        read(folder, vault, TENANT, name)


def test_a_file_without_its_header_is_as_good_as_none(folder: Path, vault: EntryVault) -> None:
    (folder / DIGEST).write_bytes(b"no header\n")
    with pytest.raises(InvalidRequestError, match="restore it"):
        read(folder, vault, TENANT, DIGEST)


def test_another_baseline_under_its_name_is_not_taken(folder: Path, vault: EntryVault) -> None:
    other = write(folder, vault, TENANT, NOON, encode(History(events=())))
    (folder / other).replace(folder / DIGEST)
    with pytest.raises(ProofError):
        read(folder, vault, TENANT, DIGEST)


def test_a_changed_byte_is_noticed(folder: Path, vault: EntryVault) -> None:
    content = bytearray((folder / DIGEST).read_bytes())
    content[-1] ^= 1
    (folder / DIGEST).write_bytes(content)
    with pytest.raises(ProofError):
        read(folder, vault, TENANT, DIGEST)
