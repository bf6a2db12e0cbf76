"""Which key opens what: root -> tenant -> bucket -> one key per customer.

The root key stays in the KMS. Tenant, bucket, epoch and signing keys are kept, wrapped, in one JSON
file; a customer's own key is kept, wrapped under its bucket, in the customer's row. So the database
and its backups hold no key that opens anything without this file, and this file none without the
KMS.

* Keys are random, never derived from one another, but for the uses of a tenant key (`derived`).
* The file is replaced atomically, under a lock between processes; a key that is not known here is
  looked for in the file again, as another process may have made it.
* A keyring that existed once and is gone is an error, not a first run: making a new one would turn
  every entry and customer unreadable for good.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
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


class CustomerKey:
    """A customer's own key: it seals, opens and tags what is about this customer."""

    __slots__ = ("_tag_key", "counted_as", "seal_key")

    def __init__(self, key: bytes) -> None:
        """Prepare the 32 bytes of `key`."""
        self.seal_key = SealKey(key)
        self._tag_key = _derive(key, "tag")
        self.counted_as = _derive(key, "budget")[:16].hex()

    def tag(self, n: int) -> bytes:
        """The mark of the customer's n-th entry."""
        return digest(self._tag_key, n.to_bytes(8, "big"), "sha256")[:16]


def _derive(key: bytes, use: str) -> bytes:
    info = f"recordguard/v1/{use}".encode()
    return HKDFExpand(algorithm=SHA256(), length=KEY_SIZE, info=info).derive(key)


class Keyring:
    """All keys of an installation. Safe to share between threads and processes."""

    def __init__(self, kms: Kms, path: Path) -> None:
        """Read the keyring file at `path`; use `Keyring.open` to start one."""
        self._kms, self._path = kms, path
        self._lock = RLock()
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
            bucket, used = self._current.get(tenant, ("", BUCKET_SIZE))
            if used >= BUCKET_SIZE:
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
                self._file = self._read()
                found = _table(self._file, table).get(name)
            return found

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
