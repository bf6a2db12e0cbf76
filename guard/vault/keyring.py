"""Which key opens what: root -> tenant -> bucket -> one key per customer.

The root key stays in the KMS. Tenant, bucket, epoch and signing keys are kept, wrapped, in one JSON
file; a customer's own key is kept, wrapped under its bucket, in the customer's row. So the database
and its backups hold no key that opens anything without this file, and this file none without the
KMS.

* Keys are random, never derived from one another, but for the uses of a tenant key (`derived`).
* The file is replaced atomically, under a lock between processes; a key that is not known here is
  looked for in the file again, as another process may have made it.
* A bucket whose customer was erased gets a new generation (`b….1`, `b….2`): the others' keys are
  wrapped anew under it, the older generations are destroyed, and nothing that any copy of the
  database holds opens the erased one's key again.
* A keyring that existed once and is gone is an error, not a first run: making a new one would turn
  every entry and customer unreadable for good.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from pathlib import Path
from secrets import token_bytes, token_hex, token_urlsafe
from threading import RLock

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from guard.clock import DAY, Micros, to_rfc3339
from guard.durable import PRIVATE, make_folder, replace_file
from guard.errors import KeyUnavailableError
from guard.rows import SubjectRow
from guard.vault.blind_index import blind_index
from guard.vault.envelope import KEY_SIZE, SealKey, place
from guard.vault.kms import Kms, create_root_key, open_kms, path_of
from policies.model import Tier

# Few enough to re-wrap at once when one of them is erased, many enough to keep the file small.
BUCKET_SIZE = 1000

# A busy floor looks at a few thousand customers an hour; each cached key is under 1 KiB.
CACHED_CUSTOMERS = 8192

# The epoch of what outlives every month: entries that say what was forgotten, and under which hold.
KEPT = "kept"

_CHECK = b"recordguard keyring v1"
_NAME_CONTEXT = "keyring/check"


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The keyring file. Every value is wrapped; bytes are base64."""

    version: int = 1
    check: bytes
    tenants: dict[str, bytes] = {}
    buckets: dict[str, bytes] = {}
    epochs: dict[str, bytes] = {}
    signing: dict[str, bytes] = {}
    # Buckets that take nobody more and are about to be destroyed.
    retired: list[str] = []


class CustomerKey:
    """A customer's own key: it seals, opens and tags what is about this customer."""

    __slots__ = ("counted_as", "seal_key", "tag_key")

    def __init__(self, key: bytes) -> None:
        """Prepare the 32 bytes of `key`."""
        self.seal_key = SealKey(key)
        # Handed out in bundles of evidence: it leads to no other key (`docs/formats/evidence.md`).
        self.tag_key = _derive(key, "tag")
        self.counted_as = _derive(key, "budget")[:16].hex()

    def tag(self, n: int) -> bytes:
        """The mark of the customer's n-th entry."""
        return digest(self.tag_key, n.to_bytes(8, "big"), "sha256")[:16]


def _derive(key: bytes, use: str) -> bytes:
    info = f"recordguard/v1/{use}".encode()
    return HKDFExpand(algorithm=SHA256(), length=KEY_SIZE, info=info).derive(key)


class Keyring:
    """All keys of an installation. Safe to share between threads and processes."""

    def __init__(self, kms: Kms, path: Path) -> None:
        """Read the keyring file at `path`; use `Keyring.open` to start one."""
        self._kms, self._path = kms, path
        self._lock = RLock()
        self._stamp: tuple[int, int] = (0, 0)
        self._file = self._read()
        self._seal_keys: dict[tuple[str, ...], SealKey] = {}
        self._current: dict[str, tuple[str, int]] = {}
        self._tenant_key = lru_cache(maxsize=None)(self._open_tenant)
        self._derived = lru_cache(maxsize=None)(self._derive_for)
        self._customer = lru_cache(maxsize=CACHED_CUSTOMERS)(self._open_customer)

    @classmethod
    def open(cls, uri: str, keyring_path: Path) -> "Keyring":
        """Open the keyring, or make it, and a `file:` root key, on the very first run.

        Raises:
            ConfigurationError: The KMS URI is not supported, or the root key file is unsafe.
            KeyUnavailableError: A file that must exist is missing, unreadable or another one's.
        """
        make_folder(keyring_path.parent)
        with _locked(keyring_path) as marker:
            if not keyring_path.exists():
                if os.fstat(marker).st_size:
                    raise KeyUnavailableError(
                        f"keyring `{keyring_path}` is gone, restore it from its backup"
                    )
                create_root_key(path_of(uri))
                fresh = _File(check=open_kms(uri).wrap(_CHECK, _NAME_CONTEXT))
                replace_file(keyring_path, msgspec.json.encode(fresh))
                os.write(marker, b"made\n")
                os.fsync(marker)
        return cls(open_kms(uri), keyring_path)

    def epoch(self, tenant: str, at: Micros) -> tuple[str, SealKey]:
        """Name and key of the tenant's epoch (the UTC month of `at`), made when it is new."""
        name = _epoch_name(tenant, at // DAY)
        return name, self._wrapped("epochs", tenant, name, self._make)

    def epoch_key(self, tenant: str, name: str) -> SealKey:
        """The key of an epoch that has been sealed under.

        Raises:
            KeyUnavailableError: There is no such key.
        """
        return self._wrapped("epochs", tenant, name, _refuse)

    def derived(self, tenant: str, use: str) -> bytes:
        """A key of the tenant for one use, such as `blind-index`."""
        return self._derived(tenant, use)

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """The signing key of that name, made when it is new."""
        return Ed25519PrivateKey.from_private_bytes(self._signing_seed(name))

    def ml_dsa_key(self, name: str) -> MLDSA44PrivateKey:
        """The ML-DSA-44 signing key of that name, made when it is new."""
        return MLDSA44PrivateKey.from_seed_bytes(self._signing_seed(f"{name}/ml-dsa-44"))

    def _signing_seed(self, name: str) -> bytes:
        found = self._find("signing", name)
        if found is None:
            found = self._put(
                "signing", name, self._kms.wrap(token_bytes(KEY_SIZE), f"signing/{name}")
            )
        return self._kms.unwrap(found, f"signing/{name}")

    def blind(self, tenant: str, source: str, source_key: str) -> bytes:
        """The blind index of a source key."""
        return blind_index(self.derived(tenant, "blind-index"), source, source_key)

    def new_subject(
        self,
        tenant: str,
        region: str,
        source: str,
        source_key: str,
        tier: Tier,
        is_decoy: bool,  # noqa: FBT001 - a column of the row, in its order
    ) -> SubjectRow:
        """Mint a customer: a random reference, a key of its own, and its source key sealed."""
        # The leading letter keeps a reference from looking like an option or a formula.
        ref = "c" + token_urlsafe(16)
        bucket, bucket_key = self._bucket(tenant)
        key = token_bytes(KEY_SIZE)
        return SubjectRow(
            ref=ref,
            tenant=tenant,
            region=region,
            source=source,
            key_blind=self.blind(tenant, source, source_key),
            sealed_key=SealKey(key).seal(source_key.encode(), _source_key_place(tenant, ref)),
            bucket=bucket,
            wrapped_key=bucket_key.seal(key, _customer_place(tenant, bucket, ref)),
            next_n=0,
            tier=tier,
            is_decoy=is_decoy,
        )

    def has_bucket(self, bucket: str) -> bool:
        """Whether there is a key of this bucket, as far as is known here (see `refresh`)."""
        return bucket in self._file.buckets

    def generations(self, bucket: str) -> tuple[str, ...]:
        """Every name that a bucket has had, from its first generation to the newest."""
        first = lineage_of(bucket)
        of_it = [name for name in self._file.buckets if lineage_of(name) == first]
        newest = max(map(_generation, of_it), default=0)
        return (first, *(f"{first}.{number}" for number in range(1, newest + 1)))

    def unfinished(self) -> frozenset[tuple[str, str]]:
        """(Tenant, first name) of the buckets that were retired and are not destroyed yet."""
        self.refresh()
        return frozenset(
            (tenant, lineage_of(name))
            for tenant, _, name in (one.rpartition("/") for one in self._file.retired)
        )

    def retire(self, tenant: str, bucket: str) -> str:
        """Make the next generation of a bucket, and close every earlier one; returns its name.

        Nobody is enrolled into a closed bucket any more, by any process. Its keys still open, so
        that they can be wrapped anew (`rewrap`); then `destroy` ends it.
        """
        with self._lock:
            self.refresh()
            names = [n for n in self._file.buckets if lineage_of(n) == lineage_of(bucket)]
            newest = f"{lineage_of(bucket)}.{max(map(_generation, names), default=0) + 1}"
            wrapper = SealKey(self._tenant_key(tenant))
            wrapped = wrapper.seal(
                token_bytes(KEY_SIZE), place("keyring", "buckets", tenant, newest)
            )

            def close(file: _File) -> None:
                file.buckets[newest] = wrapped
                closed = {f"{tenant}/{name}" for name in names}
                file.retired = sorted(closed | set(file.retired))

            self._change(close)
            return newest

    def rewrap(self, subject: SubjectRow, bucket: str) -> SubjectRow:
        """The row of a customer with its key wrapped under another bucket of its tenant.

        Raises:
            KeyUnavailableError: The customer was erased, or the key above it is gone.
        """
        if subject.wrapped_key is None:
            raise KeyUnavailableError("the customer was erased, its key cannot be wrapped anew")
        if subject.bucket == bucket:
            return subject
        buckets = (subject.bucket, bucket)
        wrapped = self.rewrap_key(subject.tenant, subject.ref, buckets, subject.wrapped_key)
        return replace(subject, bucket=bucket, wrapped_key=wrapped)

    def rewrap_key(self, tenant: str, ref: str, buckets: tuple[str, str], wrapped: bytes) -> bytes:
        """A customer's key, wrapped under the second of two buckets in place of the first.

        Raises:
            KeyUnavailableError: A key is gone, or the bytes are not those that were wrapped.
        """
        old, new = (self._wrapped("buckets", tenant, name, _refuse) for name in buckets)
        key = old.open(wrapped, _customer_place(tenant, buckets[0], ref))
        return new.seal(key, _customer_place(tenant, buckets[1], ref))

    def destroy(self, tenant: str, keep: str) -> None:
        """Destroy every generation of a bucket but `keep`; whatever they wrapped is lost."""

        def drop(file: _File) -> None:
            gone = {
                name
                for name in file.buckets
                if lineage_of(name) == lineage_of(keep) and name != keep
            }
            file.buckets = {n: key for n, key in file.buckets.items() if n not in gone}
            closed = {f"{tenant}/{name}" for name in gone}
            file.retired = [name for name in file.retired if name not in closed]

        self._change(drop)

    def destroy_epoch(self, name: str) -> None:
        """Destroy the key of a month: no event part of it opens any more, in any copy."""
        self._change(lambda file: _forget(file.epochs, name))

    def tenants(self) -> list[str]:
        """Every tenant that has a key, the broker's own name among them, by name."""
        self.refresh()
        return sorted(self._file.tenants)

    def epochs_of(self, tenant: str) -> list[str]:
        """Names of the tenant's epochs whose keys are there, the oldest first."""
        self.refresh()
        return sorted(n for n in self._file.epochs if n.rpartition("/")[0] == tenant)

    def kept_epoch(self, tenant: str) -> tuple[str, SealKey]:
        """Name and key of the epoch without an end, for what says what was forgotten."""
        name = f"{tenant}/{KEPT}"
        return name, self._wrapped("epochs", tenant, name, self._make)

    def refresh(self) -> None:
        """Take over what another process has changed in the file, and forget what it destroyed."""
        with self._lock:
            if self._stamp_of_file() != self._stamp:
                self._take(self._read())

    def customer_key(self, subject: SubjectRow) -> CustomerKey:
        """The customer's own key.

        Raises:
            KeyUnavailableError: The customer was erased, or a key above is missing or changed.
        """
        if subject.wrapped_key is None:
            raise KeyUnavailableError("the customer was erased, nothing about it can be opened")
        return self._customer(subject.tenant, subject.bucket, subject.ref, subject.wrapped_key)

    def counted_as(self, subject: SubjectRow) -> str:
        """The name by which budgets count the customer, in their rows and in every entry.

        It comes from the customer's own key: with that erased, nothing leads from the name to the
        customer, and what was charged still adds up.

        Raises:
            KeyUnavailableError: The customer was erased, or a key above is missing or changed.
        """
        return self.customer_key(subject).counted_as

    def source_key(self, subject: SubjectRow) -> str:
        """The key under which the customer's source knows it.

        Raises:
            KeyUnavailableError: The customer was erased, or a key above is missing or changed.
        """
        key = self.customer_key(subject).seal_key
        if subject.sealed_key is None:
            raise KeyUnavailableError("the customer was erased, its source key is gone")
        return key.open(subject.sealed_key, _source_key_place(subject.tenant, subject.ref)).decode()

    def _open_customer(self, tenant: str, bucket: str, ref: str, wrapped: bytes) -> CustomerKey:
        bucket_key = self._wrapped("buckets", tenant, bucket, _refuse)
        return CustomerKey(bucket_key.open(wrapped, _customer_place(tenant, bucket, ref)))

    def _bucket(self, tenant: str) -> tuple[str, SealKey]:
        # Each process fills buckets of its own, so that nothing but the key itself need be kept.
        with self._lock:
            self.refresh()
            bucket, used = self._current.get(tenant, ("", BUCKET_SIZE))
            is_closed = f"{tenant}/{bucket}" in self._file.retired or not self.has_bucket(bucket)
            if used >= BUCKET_SIZE or is_closed:
                bucket, used = "b" + token_hex(8), 0
            key = self._wrapped("buckets", tenant, bucket, self._make)
            self._current[tenant] = (bucket, used + 1)
            return bucket, key

    def _open_tenant(self, tenant: str) -> bytes:
        found = self._find("tenants", tenant)
        if found is None:
            wrapped = self._kms.wrap(token_bytes(KEY_SIZE), f"tenant/{tenant}")
            found = self._put("tenants", tenant, wrapped)
        return self._kms.unwrap(found, f"tenant/{tenant}")

    def _derive_for(self, tenant: str, use: str) -> bytes:
        return _derive(self._tenant_key(tenant), use)

    def _wrapped(
        self, table: str, tenant: str, name: str, missing: Callable[[str, str, str], bytes]
    ) -> SealKey:
        """The key `name` of `table`, opened with the tenant's key, from memory where it can be."""
        key = self._seal_keys.get((table, tenant, name))
        if key is None:
            found = self._find(table, name)
            if found is None:
                found = missing(table, tenant, name)
            opened = SealKey(self._tenant_key(tenant)).open(
                found, place("keyring", table, tenant, name)
            )
            key = self._seal_keys[table, tenant, name] = SealKey(opened)
        return key

    def _make(self, table: str, tenant: str, name: str) -> bytes:
        wrapper = SealKey(self._tenant_key(tenant))
        wrapped = wrapper.seal(token_bytes(KEY_SIZE), place("keyring", table, tenant, name))
        return self._put(table, name, wrapped)

    def _find(self, table: str, name: str) -> bytes | None:
        with self._lock:
            found = _table(self._file, table).get(name)
            if found is None:
                self._take(self._read())
                found = _table(self._file, table).get(name)
            return found

    def _take(self, file: _File) -> None:
        """Go on with what the file says; a key that it lacks was destroyed, and is forgotten."""
        self._file = file
        gone = [
            known
            for known in self._seal_keys
            if known[0] in {"buckets", "epochs"} and known[2] not in _table(file, known[0])
        ]
        for known in gone:
            del self._seal_keys[known]
        if gone:
            self._customer.cache_clear()

    def _change(self, change: Callable[[_File], None]) -> None:
        with self._lock, _locked(self._path):
            file = self._read()
            change(file)
            replace_file(self._path, msgspec.json.format(msgspec.json.encode(file)))
            self._take(file)

    def _stamp_of_file(self) -> tuple[int, int]:
        """Which file lies there: it is never written to, but replaced by another one."""
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return found.st_ino, found.st_mtime_ns

    def _put(self, table: str, name: str, wrapped: bytes) -> bytes:
        """Keep a new key, unless another process was first; returns the one that is kept."""
        with self._lock, _locked(self._path):
            file = self._read()
            kept = _table(file, table).setdefault(name, wrapped)
            if kept is wrapped:
                replace_file(self._path, msgspec.json.format(msgspec.json.encode(file)))
            # INVARIANT: a key is used only after it is durable, so memory follows the file.
            self._file = file
            return kept

    def _read(self) -> _File:
        self._stamp = self._stamp_of_file()
        try:
            file = msgspec.json.decode(self._path.read_bytes(), type=_File)
            self._kms.unwrap(file.check, _NAME_CONTEXT)
        except OSError as error:
            raise KeyUnavailableError(
                f"keyring `{self._path}` cannot be read ({error.strerror}), restore it"
            ) from None
        except msgspec.MsgspecError:
            raise KeyUnavailableError(
                f"keyring `{self._path}` is malformed, restore it from its backup"
            ) from None
        except KeyUnavailableError:
            raise KeyUnavailableError(
                f"keyring `{self._path}` belongs to another root key, restore the pair together"
            ) from None
        if file.version != 1:
            raise KeyUnavailableError(f"keyring `{self._path}` is newer than this release, update")
        return file


def _table(file: _File, name: str) -> dict[str, bytes]:
    tables: dict[str, dict[str, bytes]] = {
        "tenants": file.tenants,
        "buckets": file.buckets,
        "epochs": file.epochs,
        "signing": file.signing,
    }
    return tables[name]


def lineage_of(bucket: str) -> str:
    """The name of a bucket's first generation, which all its generations begin with."""
    return bucket.partition(".")[0]


def _generation(bucket: str) -> int:
    return int(bucket.partition(".")[2] or 0)


def _forget(keys: dict[str, bytes], name: str) -> None:
    keys.pop(name, None)


def key_id(tenant: str, ref: str) -> str:
    """The opaque name of a customer's key: it leads to nobody without the reference itself.

    It stands in the entries and the file that say whom the log has forgotten. A reference has 128
    random bits, so that nobody finds it by trying.
    """
    return sha256(place("key-id", tenant, ref)).hexdigest()[:32]


def _refuse(table: str, _tenant: str, name: str) -> bytes:
    raise KeyUnavailableError(f"key `{name}` is not among the {table} of the keyring, restore it")


def _customer_place(tenant: str, bucket: str, ref: str) -> bytes:
    return place(tenant, "subjects", "wrapped_key", ref, bucket)


def _source_key_place(tenant: str, ref: str) -> bytes:
    return place(tenant, "subjects", "sealed_key", ref)


@lru_cache(maxsize=1024)
def _epoch_name(tenant: str, day: int) -> str:
    return f"{tenant}/{to_rfc3339(day * DAY)[:7]}"


@contextmanager
def _locked(keyring_path: Path) -> Iterator[int]:
    """Keep other processes from changing the keyring; yields the lock file's descriptor.

    The lock file is empty until a keyring has been made beside it, and never again.
    """
    name = keyring_path.with_name(keyring_path.name + ".lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KeyUnavailableError(
            f"keyring `{keyring_path}` cannot be written ({error.strerror}), check its folder"
        ) from None
