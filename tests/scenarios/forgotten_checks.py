"""What must hold once one customer is forgotten, whoever looks, and with whatever is left."""

import base64
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from api.places import export_signer, high_water, keyring_file, log_dir, log_signer
from guard.clock import Micros
from guard.entries import EntryKind, StoredEntry
from guard.errors import KeyUnavailableError, NotFoundError
from guard.evidence.checking import verify_bundle
from guard.evidence.manifest import PARTS
from guard.forgetting import Forgotten
from guard.fsck import Kept, check_store
from guard.ledger.note import NoteSigner
from guard.ledger.verify import verify_log
from guard.rows import SubjectRow
from tests.scenarios.forgotten import (
    SOURCE_KEY,
    WHY_ERASED,
    WHY_VIEWED,
    Given,
    bundle,
    clear_values,
    given,
    opened_log,
)
from tests.support.log import settle
from tests.support.makers import TENANT
from tests.support.remains import Remains, bucket_keys, customer_keys, keys_left, own_keys
from tests.support.service import ANALYST, AUDITOR, SECOND_ANALYST, SYNC, Record, Service

IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
# In a row of PostgreSQL a sealed key stands behind its length; in SQLite behind anything.
BEHIND_LENGTH = b"\x7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What outsiders and insiders had in hand before anybody was forgotten."""

    her: str
    size: int
    until: Micros
    history: Given
    notes: tuple[bytes, ...]
    bundles: tuple[Path, ...]
    exported: bytes
    log: tuple[StoredEntry, ...]
    rows: tuple[SubjectRow, ...]
    remains: Remains
    values: frozenset[str]


def stored(service: Service) -> list[StoredEntry]:
    """Every entry that was answered for."""
    settle(service.services.store)
    with service.services.store.read() as view:
        size, _ = view.head()
        return view.entries(0, size)


async def exported(service: Service, **body: object) -> bytes:
    answer = await service.ask("POST", "/v1/exports", AUDITOR, {"format": "ndjson"} | body)
    assert answer.is_success, answer.text
    return answer.content


def newest_note(service: Service) -> bytes:
    return (log_dir(service.settings) / "checkpoint").read_bytes()


async def handed_out(service: Service, folder: Path, record: Record) -> Before:
    """What is taken out of the log while everybody in it is known."""
    first = newest_note(service)
    her = service.refs[0]
    entries = stored(service)
    until = service.services.clock.now() + 1
    history = given(service, len(entries), until)
    bundles = (folder / "about-her.zip", folder / "all.zip")
    await bundle(service, bundles[0], customer=her)
    await bundle(service, bundles[1], start=0, end=len(entries))
    content = await exported(service, kinds=["view"])
    with service.services.store.read() as view:
        remains = Remains.of(view, her)
    values = clear_values(record) | {SOURCE_KEY, WHY_VIEWED, WHY_ERASED}
    return Before(
        her=her,
        size=len(entries),
        until=until,
        history=history,
        notes=(first, newest_note(service)),
        bundles=bundles,
        exported=content,
        log=tuple(entries),
        rows=tuple(everybody(service)),
        remains=remains,
        values=frozenset(values),
    )


async def forget(service: Service, her: str) -> None:
    """Two people have her erased, over HTTP."""
    asked = {"customer": her, "ground": "consent_withdrawn", "reason": WHY_ERASED}
    proposed = await service.ask("POST", "/v1/erasures", ANALYST, asked)
    assert proposed.is_success, proposed.text
    path = f"/v1/erasures/{proposed.json()['erasure']['id']}"
    alone = await service.ask("POST", f"{path}/approvals", ANALYST)
    assert alone.status_code == httpx2.codes.FORBIDDEN
    approved = await service.ask("POST", f"{path}/approvals", SECOND_ANALYST)
    assert approved.is_success, approved.text
    await service.services.shredding.turn()
    shown = await service.ask("GET", path, AUDITOR)
    assert shown.json()["state"] == "done"


def signers(service: Service) -> tuple[NoteSigner, NoteSigner]:
    """What outsiders have keys of: the log and its exporter."""
    keyring, settings = service.services.keyring, service.settings
    return log_signer(keyring, settings), export_signer(keyring, settings)


def check_proofs(service: Service, before: Before) -> None:
    """Every checkpoint that anybody kept, the head, every bundle, and the store by itself."""
    log, exporter = signers(service)
    settle(service.services.store)
    with service.services.store.read() as view:
        size, hashes = view.head()
        entries = view.entries(0, size)
        forgotten = Forgotten.read(view, service.services.vault, [TENANT])
        kept = Kept(
            log_dir=log_dir(service.settings),
            high_water=high_water(service.settings).read_bytes(),
        )
        vault, key = service.services.vault, log.verifier
        checked = check_store(view, vault, key, kept, explained=forgotten)
    assert checked.faults == ()
    for note in (*before.notes, newest_note(service)):
        verify_log(entries, checkpoint=note, vkey=log.vkey, head=(size, hashes))
    for path in before.bundles:
        verify_bundle(path, [log.verifier, exporter.verifier])
        assert stdlib_alone(path, service) == 0
    for old, new in zip(before.log, entries, strict=False):
        assert (new.index, new.leaf) == (old.index, old.leaf)


def stdlib_alone(path: Path, service: Service) -> int:
    """The bundle, judged by the file that is in it, with nothing of ours to import."""
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path) as packed:
        packed.extract("verify.py", folder)
    keys = [one.vkey for one in signers(service)]
    words = [word for key in keys for word in ("--vkey", key)]
    done = subprocess.run(  # noqa: S603 - the file that was in the bundle
        [sys.executable, "-I", str(folder / "verify.py"), str(path), *words],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode


def check_bytes(service: Service, before: Before, raws: Sequence[Mapping[str, bytes]]) -> None:
    """No key that is left opens anything of hers, and nothing of hers stands anywhere in clear."""
    keys = keyring_file(service.settings).parent
    rows = [*before.rows, *everybody(service)]
    for raw in raws:
        assert opened_by_what_is_left(keys, rows, raw, before.remains) == []
        assert clear_in(raw, before.values) == set()
    for file in keys.rglob("*"):
        assert not file.is_file() or before.her.encode() not in file.read_bytes()


def everybody(service: Service) -> list[SubjectRow]:
    """The rows of all customers who are in this copy of the database."""
    with service.services.store.read() as view:
        refs = {ref for one in view.entries(0, view.head()[0]) for ref in one.refs}
        return list(view.subjects(refs).values())


def opened_by_what_is_left(
    keys: Path, rows: Collection[SubjectRow], raw: Mapping[str, bytes], remains: Remains
) -> list[bytes]:
    """What of hers any key opens that the keyring, the keys beside it or a database still give.

    Her own key is looked for where it is known to have been, and at every place of the files: there
    under the keys that such keys are wrapped under, and in the full form under all of them.
    """
    known = keys_left(keys)
    known += own_keys(rows, known)
    tried = known if IS_FULL else bucket_keys(keys)
    behind = BEHIND_LENGTH if any("pg_wal" in name for name in raw) else b""
    found = [customer_keys(one, tried, remains.row, behind=behind) for one in raw.values()]
    return remains.opened([*known, *(key for some in found for key in some)])


def clear_in(raw: Mapping[str, bytes], values: Collection[str]) -> set[str]:
    """Which of the values stand somewhere in the files as they are."""
    return {value for value in values if any(value.encode() in one for one in raw.values())}


def check_history(service: Service, before: Before) -> None:
    """Policies tried on it, detection and budgets give what they gave."""
    assert given(service, before.size, before.until) == before.history


async def check_nobody(service: Service, before: Before, folder: Path) -> None:
    """Whoever asks later, and whatever is taken out: in her place there is nobody."""
    her = before.her
    rows = [json.loads(line) for line in (await exported(service, kinds=["view"])).splitlines()]
    named = [one for row in rows for one in row["subjects"] if one["customer"] == her]
    assert named
    assert all(one == {"customer": her, "erased": True} for one in named)
    answer = await service.ask("GET", f"/v1/log/views?customer={her}&limit=100", AUDITOR)
    assert answer.is_success, answer.text
    found = answer.json()["entries"]
    assert found
    assert {one for entry in found for one in entry["customers"]} == {None}
    assert {one for entry in found for one in entry["cases"]} == {None}
    asked = [one for one in opened_log(service) if one.kind is EntryKind.AUDIT_QUERY][-1]
    assert asked.refs == ()
    for answer in (
        await service.ask("GET", f"/v1/customers/{her}/history", SYNC),
        await service.view(her),
    ):
        assert answer.status_code == httpx2.codes.NOT_FOUND, answer.text
    with pytest.raises((NotFoundError, KeyUnavailableError)):
        await bundle(service, folder / "none.zip", customer=her)
    later = folder / "later.zip"
    await bundle(service, later, start=0, end=before.size)
    verify_bundle(later, [one.verifier for one in signers(service)])
    assert stdlib_alone(later, service) == 0
    assert not shown_of(later, her)


def shown_of(path: Path, her: str) -> bool:
    """Whether a bundle names her, or shows what was typed about her."""
    with zipfile.ZipFile(path) as packed:
        parts = [json.loads(line) for line in packed.read(PARTS).splitlines()]
    shown = [base64.b64decode(p["open"]) for one in parts for p in one["parts"] if "open" in p]
    return any(her.encode() in one or WHY_ERASED.encode() in one for one in shown)
