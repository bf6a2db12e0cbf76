"""What an erasure leaves in the files, and that no key that is left opens any of it.

Every byte of the database, its write-ahead log and an older copy of both is tried as the beginning
of the erased customer's wrapped key, under every key that is left, in every place where it was.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.errors import ProofError
from guard.ledger.merkle import HASH_SIZE
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from guard.vault.envelope import SealKey, place, within
from guard.vault.keyring import Keyring
from guard.views import Served
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import AGENT, put_people
from tests.support.remains import customer_keys, keys_left
from tests.support.rig import Rig, open_rig

pytestmark = [pytest.mark.anyio, pytest.mark.functional]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, sqlite_template: Path) -> Path:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    return tmp_path


@pytest.fixture(name="oblivion")
def _oblivion(folder: Path, clock: ManualClock) -> Iterator[Oblivion]:
    with (
        SqlStore(sqlite_url(folder / "ledger.db")) as store,
        open_rig(store, clock, folder) as rig,
    ):
        yield Oblivion.over(rig, folder)


def raw(folder: Path) -> bytes:
    """The database with its write-ahead log, as they lie on the disk."""
    files = (folder / "ledger.db", folder / "ledger.db-wal")
    return b"".join(file.read_bytes() for file in files if file.exists())


async def seen(rig: Rig, ref: str) -> None:
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)


async def test_bytes_may_remain_and_no_key_that_is_left_opens_them(
    oblivion: Oblivion, folder: Path
) -> None:
    rig = oblivion.rig
    await put_people(rig)
    ref, other = await rig.customers(2)
    for one in (ref, other):
        await seen(rig, one)
    with rig.store.read() as view:
        row = view.subjects({ref})[ref]
        log = view.entries(0, 1_000)
    parts = [
        (entry.leaf[1:17], part[HASH_SIZE:])
        for entry in log
        for name, part in zip(entry.refs, entry.sealed_subjects, strict=True)
        if name == ref and part is not None
    ]
    assert len(parts) >= 3
    older = raw(folder)
    shutil.copytree(folder / "keys", folder / "keys-before")
    shutil.copytree(folder / "keys-before", folder / "copy" / "keys")

    # While the customer is known, this search finds the key: it looks in the right places.
    assert customer_keys(older, keys_left(folder / "copy" / "keys"), row)

    await oblivion.forget(ref)
    left = keys_left(folder / "keys")
    newer = raw(folder)
    assert row.wrapped_key is not None
    assert row.wrapped_key in older
    assert customer_keys(older + newer, left, row) == []

    # Nor does any of them, or anybody else's own key, open a part about the customer.
    with rig.store.read() as view:
        neighbour = view.subjects({other})[other]
    everything = [SealKey(key) for key in left]
    everything.append(rig.keyring.customer_key(neighbour).seal_key)
    where = within(place(TENANT, "entry_subjects", "sealed"), ref.encode())
    for entry_id, sealed in parts:
        assert sealed in older
        for key in everything:
            with pytest.raises(ProofError):
                key.open(sealed, within(where, entry_id))


async def test_the_old_bucket_is_in_no_file_beside_the_keyring(
    oblivion: Oblivion, folder: Path
) -> None:
    rig = oblivion.rig
    await put_people(rig)
    ref, other = await rig.customers(2)
    with rig.store.read() as view:
        old = view.subjects({ref})[ref]
    await oblivion.forget(ref)
    written = b"".join(p.read_bytes() for p in (folder / "keys").rglob("*.json"))
    assert f'"{old.bucket}"'.encode() not in written
    assert ref.encode() not in written
    assert other.encode() in written
    keyring = Keyring.open(
        (folder / "keys" / "root.key").as_uri(), folder / "keys" / "keyring.json"
    )
    assert not keyring.has_bucket(old.bucket)
    assert keyring.has_bucket(f"{old.bucket}.1")
