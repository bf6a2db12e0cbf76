import multiprocessing
import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from guard.clock import DAY
from guard.errors import ConfigurationError, KeyUnavailableError
from guard.rows import SubjectRow
from guard.vault import keyring as module
from guard.vault.envelope import place
from guard.vault.keyring import BUCKET_SIZE, Keyring
from guard.vault.kms import Kms, create_root_key, open_kms
from policies.model import Tier

AT = 1_764_000_000_000_000


def enrol(keyring: Keyring, source_key: str = "cust-100234", tenant: str = "acme") -> SubjectRow:
    return keyring.new_subject(tenant, "eu", "crm", source_key, Tier.VIP, is_decoy=False)


def public(keyring: Keyring, name: str) -> bytes:
    return keyring.signing_key(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def test_a_customer_gets_a_random_reference_and_its_source_key_back(keyring: Keyring) -> None:
    rows = [enrol(keyring) for _ in range(50)]
    assert len({row.ref for row in rows}) == 50
    assert all(row.ref.replace("-", "").replace("_", "").isalnum() for row in rows)
    assert all(len(row.ref) == 23 and row.ref[0] == "c" for row in rows)
    assert {keyring.source_key(row) for row in rows} == {"cust-100234"}
    assert {row.key_blind for row in rows} == {keyring.blind("acme", "crm", "cust-100234")}
    assert rows[0].tier is Tier.VIP
    assert (rows[0].region, rows[0].source, rows[0].next_n) == ("eu", "crm", 0)


def test_keys_outlive_the_process(keyring: Keyring, uri: str, path: Path) -> None:
    row = enrol(keyring)
    name, key = keyring.epoch("acme", AT)
    sealed = key.seal(b"x", place("p"))
    again = Keyring.open(uri, path)
    assert again.source_key(row) == "cust-100234"
    assert again.epoch_key("acme", name).open(sealed, place("p")) == b"x"
    assert again.blind("acme", "crm", "1") == keyring.blind("acme", "crm", "1")
    assert again.customer_key(row).tag(3) == keyring.customer_key(row).tag(3)
    assert public(again, "log") == public(keyring, "log")


def test_what_a_customer_is_counted_as_lasts_as_long_as_its_key(
    keyring: Keyring, uri: str, path: Path
) -> None:
    row, other = enrol(keyring), enrol(keyring)
    name = keyring.counted_as(row)
    assert Keyring.open(uri, path).counted_as(row) == name != keyring.counted_as(other)
    assert row.ref not in name
    with pytest.raises(KeyUnavailableError):
        keyring.counted_as(replace(row, wrapped_key=None))


def test_two_keyrings_see_what_the_other_makes(keyring: Keyring, uri: str, path: Path) -> None:
    other = Keyring.open(uri, path)
    row = enrol(keyring)
    assert other.source_key(row) == "cust-100234"
    name, key = other.epoch("acme", AT)
    sealed = key.seal(b"x", place("p"))
    assert keyring.epoch_key("acme", name).open(sealed, place("p")) == b"x"
    assert keyring.epoch("acme", AT)[1].open(sealed, place("p")) == b"x"
    assert public(other, "log") == public(keyring, "log")


def _enrol_many(
    uri: str, path: Path, start: int, rows: "multiprocessing.Queue[SubjectRow]"
) -> None:
    keyring = Keyring.open(uri, path)
    for n in range(20):
        rows.put(enrol(keyring, str(start + n), tenant=f"t{n % 3}"))


def test_processes_that_start_at_once_share_one_keyring(uri: str, path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    workers = [
        spawn.Process(target=_enrol_many, args=(uri, path, start, queue)) for start in (0, 100)
    ]
    for worker in workers:
        worker.start()
    rows = [queue.get(timeout=60) for _ in range(40)]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    keyring = Keyring.open(uri, path)
    keys = sorted(int(keyring.source_key(row)) for row in rows)
    assert keys == [*range(20), *range(100, 120)]
    for row in rows:
        assert row.key_blind == keyring.blind(row.tenant, "crm", keyring.source_key(row))


def test_threads_that_make_the_same_key_get_the_same_key(keyring: Keyring) -> None:
    seals: list[bytes] = []
    where = place("p")
    threads = [
        Thread(target=lambda: seals.append(keyring.epoch("acme", AT)[1].seal(b"x", where)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    key = keyring.epoch_key("acme", "acme/2025-11")
    assert [key.open(one, where) for one in seals] == [b"x"] * 8


def test_a_bucket_holds_a_thousand_customers(keyring: Keyring) -> None:
    rows = [enrol(keyring, str(n)) for n in range(BUCKET_SIZE + 1)]
    buckets = [row.bucket for row in rows]
    assert len(set(buckets[:BUCKET_SIZE])) == 1
    assert buckets[BUCKET_SIZE] not in set(buckets[:BUCKET_SIZE])
    assert keyring.source_key(rows[-1]) == str(BUCKET_SIZE)


def test_the_cache_of_customers_is_bounded_and_right(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch, uri: str, path: Path
) -> None:
    monkeypatch.setattr(module, "CACHED_CUSTOMERS", 2)
    small = Keyring.open(uri, path)
    rows = [enrol(keyring, str(n)) for n in range(6)]
    for _ in range(2):
        assert [small.source_key(row) for row in rows] == [str(n) for n in range(6)]


def test_an_epoch_is_a_month_of_a_tenant(keyring: Keyring) -> None:
    first, key = keyring.epoch("acme", AT)
    assert first == "acme/2025-11"
    assert keyring.epoch("acme", AT + DAY)[1] is key
    assert keyring.epoch("acme", AT + 40 * DAY)[0] == "acme/2026-01"
    assert keyring.epoch("beta", AT)[0] == "beta/2025-11"


def test_a_row_with_parts_of_another_opens_nothing(keyring: Keyring) -> None:
    one, other = enrol(keyring, "1"), enrol(keyring, "2")
    assert keyring.source_key(one) == "1"
    for changed in (
        replace(one, tenant="beta"),
        replace(one, ref="c-another"),
        replace(one, wrapped_key=other.wrapped_key),
        replace(one, sealed_key=other.sealed_key),
        replace(one, ref=other.ref),
        replace(one, bucket="b0"),
        replace(one, sealed_key=one.wrapped_key, wrapped_key=one.sealed_key),
        replace(one, wrapped_key=None),
        replace(one, sealed_key=None),
        replace(one, wrapped_key=b""),
    ):
        with pytest.raises(KeyUnavailableError):
            keyring.source_key(changed)


def test_a_customer_of_one_tenant_does_not_open_in_another_bucket(keyring: Keyring) -> None:
    one, other = enrol(keyring, "1"), enrol(keyring, "2", tenant="beta")
    with pytest.raises(KeyUnavailableError):
        keyring.customer_key(replace(one, bucket=other.bucket))


def _flips(value: bytes | None) -> list[bytes]:
    whole = value or b""
    return [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(len(whole))]


def test_a_flip_of_any_byte_of_a_row_is_refused(keyring: Keyring) -> None:
    row = enrol(keyring)
    changed = [replace(row, wrapped_key=one) for one in _flips(row.wrapped_key)]
    changed += [replace(row, sealed_key=one) for one in _flips(row.sealed_key)]
    assert len(changed) > 90
    for one in changed:
        with pytest.raises(KeyUnavailableError):
            keyring.source_key(one)


def test_a_second_signing_key_is_made_once(keyring: Keyring) -> None:
    made = keyring.ml_dsa_key("log").public_key().public_bytes_raw()
    assert keyring.ml_dsa_key("log").public_key().public_bytes_raw() == made
    assert keyring.ml_dsa_key("else").public_key().public_bytes_raw() != made


def test_no_key_stands_in_the_file(keyring: Keyring, path: Path, root: Path) -> None:
    row = enrol(keyring)
    keyring.epoch("acme", AT)
    secrets = [
        keyring.signing_key("log").private_bytes_raw(),
        keyring.ml_dsa_key("log").private_bytes_raw(),
        keyring.derived("acme", "blind-index"),
        b"cust-100234",
        row.ref.encode(),
    ]
    content = path.read_bytes()
    for secret in secrets:
        for form in (secret, secret.hex().encode(), b64encode(secret)):
            assert form not in content
    assert root.read_text().split()[1].encode() not in content
    assert path.stat().st_mode & 0o077 == 0


def test_each_use_and_tenant_has_its_own_key(keyring: Keyring) -> None:
    keys = {
        keyring.derived(t, use) for t in ("acme", "beta") for use in ("blind-index", "pseudonym")
    }
    assert len(keys) == 4
    blinds = {
        keyring.blind(*parts)
        for parts in (
            ("acme", "crm", "12"),
            ("beta", "crm", "12"),
            ("acme", "crm1", "2"),
            ("acme", "crm", "13"),
        )
    }
    assert len(blinds) == 4
    assert public(keyring, "log") != public(keyring, "writer")


def test_a_lost_keyring_is_not_made_anew(keyring: Keyring, uri: str, path: Path) -> None:
    enrol(keyring)
    path.unlink()
    with pytest.raises(KeyUnavailableError) as caught:
        Keyring.open(uri, path)
    assert str(path) in str(caught.value)
    assert not path.exists()
    with pytest.raises(KeyUnavailableError):
        keyring.epoch_key("acme", "acme/2001-01")
    with pytest.raises(KeyUnavailableError):
        keyring.signing_key("new")


def test_a_lost_root_key_is_not_made_anew(
    keyring: Keyring, uri: str, path: Path, root: Path
) -> None:
    enrol(keyring)
    root.unlink()
    with pytest.raises(KeyUnavailableError):
        Keyring.open(uri, path)
    assert not root.exists()


def test_a_root_key_may_be_there_first(uri: str, path: Path, root: Path) -> None:
    create_root_key(root)
    before = root.read_bytes()
    Keyring.open(uri, path)
    assert root.read_bytes() == before


def test_a_start_that_was_cut_short_is_repeated(uri: str, path: Path, root: Path) -> None:
    create_root_key(root)
    path.with_name(path.name + ".lock").touch()
    assert enrol(Keyring.open(uri, path)).tenant == "acme"


def test_another_root_key_is_refused(keyring: Keyring, uri: str, path: Path, root: Path) -> None:
    enrol(keyring)
    root.unlink()
    create_root_key(root)
    with pytest.raises(KeyUnavailableError, match="another root key"):
        Keyring.open(uri, path)


def test_an_unsafe_root_key_stops_the_first_run(uri: str, path: Path, root: Path) -> None:
    create_root_key(root)
    root.chmod(0o644)
    with pytest.raises(ConfigurationError):
        Keyring.open(uri, path)
    assert not path.exists()


def test_a_keyring_with_swapped_keys_opens_nothing(keyring: Keyring, uri: str, path: Path) -> None:
    row = enrol(keyring)
    other = enrol(keyring, tenant="beta")
    content = msgspec.json.decode(path.read_bytes())
    buckets = content["buckets"]
    buckets[row.bucket], buckets[other.bucket] = buckets[other.bucket], buckets[row.bucket]
    path.write_bytes(msgspec.json.encode(content))
    with pytest.raises(KeyUnavailableError):
        Keyring.open(uri, path).source_key(row)


def test_a_disk_that_fails_is_a_missing_key(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    before = path.read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    for _ in range(2):
        with pytest.raises(KeyUnavailableError, match="No space left"):
            enrol(keyring)
    assert path.read_bytes() == before


def test_an_unknown_bucket_or_epoch_is_a_missing_key(keyring: Keyring) -> None:
    with pytest.raises(KeyUnavailableError):
        keyring.customer_key(replace(enrol(keyring), bucket="b00"))
    with pytest.raises(KeyUnavailableError):
        keyring.epoch_key("acme", "acme/1999-01")


def renewed(keyring: Keyring, row: SubjectRow) -> SubjectRow:
    return keyring.rewrap(row, keyring.retire(row.tenant, row.bucket))


def test_a_renewed_bucket_opens_and_the_earlier_ones_are_gone_for_good(
    keyring: Keyring, uri: str, path: Path
) -> None:
    row = enrol(keyring)
    tag, other = keyring.customer_key(row).tag(1), Keyring.open(uri, path)
    assert other.source_key(row) == "cust-100234"
    first = renewed(keyring, row)
    second = renewed(keyring, first)
    assert [first.bucket, second.bucket] == [f"{row.bucket}.1", f"{row.bucket}.2"]
    assert keyring.generations(first.bucket) == (row.bucket, first.bucket, second.bucket)
    assert keyring.unfinished() == {("acme", row.bucket)}
    assert {keyring.source_key(one) for one in (row, first, second)} == {"cust-100234"}
    keyring.destroy("acme", second.bucket)
    assert keyring.unfinished() == frozenset()
    assert keyring.customer_key(second).tag(1) == tag
    assert keyring.rewrap(second, second.bucket) is second
    other.refresh()
    for one in (keyring, other, Keyring.open(uri, path)):
        assert one.source_key(second) == "cust-100234"
        for gone in (row, first):
            with pytest.raises(KeyUnavailableError):
                one.customer_key(gone)
    # A name is never used a second time.
    assert keyring.retire("acme", row.bucket) == f"{row.bucket}.3"


def test_nobody_is_enrolled_into_a_bucket_that_another_process_has_closed(
    keyring: Keyring, uri: str, path: Path
) -> None:
    row = enrol(keyring)
    other = Keyring.open(uri, path)
    newest = other.retire("acme", row.bucket)
    assert enrol(keyring).bucket not in {row.bucket, newest}
    other.destroy("acme", newest)
    assert enrol(keyring).bucket not in {row.bucket, newest}


def test_another_buckets_generations_are_left_alone(keyring: Keyring, uri: str, path: Path) -> None:
    row, apart = enrol(keyring), enrol(Keyring.open(uri, path))
    assert row.bucket != apart.bucket
    keyring.refresh()
    second = renewed(keyring, row)
    keyring.retire("acme", apart.bucket)
    keyring.destroy("acme", second.bucket)
    assert keyring.unfinished() == {("acme", apart.bucket)}
    assert keyring.source_key(apart) == "cust-100234"


def test_who_was_erased_is_not_wrapped_anew(keyring: Keyring) -> None:
    row = enrol(keyring)
    with pytest.raises(KeyUnavailableError):
        renewed(keyring, replace(row, wrapped_key=None))


def test_an_epochs_key_can_be_destroyed_and_the_one_without_an_end_stays(
    keyring: Keyring, uri: str, path: Path
) -> None:
    name, key = keyring.epoch("acme", AT)
    kept, kept_key = keyring.kept_epoch("acme")
    assert (name, kept) == ("acme/2025-11", "acme/kept")
    assert keyring.epochs_of("acme") == [name, kept]
    assert keyring.epochs_of("other") == []
    assert keyring.tenants() == ["acme"]
    other = Keyring.open(uri, path)
    assert other.epoch_key("acme", name).open(key.seal(b"x", b"p"), b"p") == b"x"
    keyring.destroy_epoch(name)
    keyring.destroy_epoch(name)
    other.refresh()
    for one in (keyring, other):
        with pytest.raises(KeyUnavailableError):
            one.epoch_key("acme", name)
    assert keyring.kept_epoch("acme")[1].open(kept_key.seal(b"x", b"p"), b"p") == b"x"


def test_a_keyring_that_disappears_is_no_reason_to_forget(keyring: Keyring, path: Path) -> None:
    row = enrol(keyring)
    path.unlink()
    with pytest.raises(KeyUnavailableError):
        keyring.refresh()
    assert keyring.source_key(row) == "cust-100234"


class Interrupted:
    """A KMS during whose next wrapping of a key something else happens."""

    def __init__(self, kms: Kms, meanwhile: Callable[[], object]) -> None:
        self._kms, self._meanwhile = kms, meanwhile

    def wrap(self, key: bytes, context: str) -> bytes:
        self._meanwhile()
        return self._kms.wrap(key, context)

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        return self._kms.unwrap(wrapped, context)


def test_where_another_process_was_first_what_it_destroyed_is_forgotten_too(
    keyring: Keyring, uri: str, path: Path
) -> None:
    row = enrol(keyring)

    def meanwhile() -> None:
        keyring.destroy("acme", keyring.retire("acme", row.bucket))
        keyring.derived("new", "a-use")

    late = Keyring(Interrupted(open_kms(uri), meanwhile), path)
    assert late.source_key(row) == "cust-100234"
    assert late.derived("new", "a-use") == keyring.derived("new", "a-use")
    with pytest.raises(KeyUnavailableError):
        late.source_key(row)
