"""`guard fsck` and `guard complete`: is the store what was written, is a customer's list all."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.outcome import Exit, Json, say
from api.places import database_url, high_water, log_dir, log_signer, open_keyring
from api.settings import Settings, load_settings
from guard.entries import Receipt
from guard.errors import InvalidRequestError, KeyUnavailableError, ProofError
from guard.evidence.whole_list import check_customer
from guard.forgetting import Forgotten
from guard.fsck import Explained, FsckReport, Kept, NothingForgotten, check_store
from guard.ledger.checkpoint import open_checkpoint
from guard.ledger.note import VerifierKey
from guard.ledger.proofs import Proofs
from guard.ledger.tiles import TileFolder
from guard.ports import ReadView
from guard.store import migrate as tables
from guard.store.sql_store import SqlReader
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault

# How often a long run says how far it is.
_EVERY = 10_000

DataDir = Annotated[Path | None, typer.Option(help="Data folder; RECORDGUARD_DATA_DIR.")]


def _settings(data_dir: Path | None) -> Settings:
    settings = load_settings()
    return settings if data_dir is None else settings.model_copy(update={"data_dir": data_dir})


def fsck(
    *,
    data_dir: DataDir = None,
    receipts: Annotated[
        Path | None, typer.Option(help="Receipts that tools were given, one JSON object a line.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every table of the log against the others, the published files and the keys."""
    settings = _settings(data_dir)
    url = database_url(settings)
    tables.check(url)
    keyring, mark = open_keyring(settings), high_water(settings)
    # Before the snapshot: what is signed while we read must not look like a loss.
    kept = Kept(
        log_dir=log_dir(settings),
        high_water=mark.read_bytes() if mark.is_file() else None,
        receipts=() if receipts is None else _receipts(receipts),
    )
    vault = EntryVault(keyring)
    with SqlReader(url) as store, store.read() as view:
        report = check_store(
            view,
            vault,
            log_signer(keyring, settings).verifier,
            kept,
            explained=_forgotten(view, vault, keyring),
            on_progress=_progress,
        )
    _say(report, as_json=as_json)
    if report.count:
        raise typer.Exit(int(Exit.FOUND))


def _forgotten(view: ReadView, vault: EntryVault, keyring: Keyring) -> Explained:
    """What entries say may be missing; if one of them is damaged, nothing: the check names it."""
    try:
        return Forgotten.read(view, vault, keyring.tenants())
    except (ProofError, KeyUnavailableError):
        return NothingForgotten()


def _progress(count: int) -> None:
    if count % _EVERY == 0:
        print(f"{count} entries checked", file=sys.stderr)


def _receipts(path: Path) -> tuple[Receipt, ...]:
    try:
        lines = path.read_bytes().splitlines()
        return tuple(msgspec.json.decode(line, type=Receipt) for line in lines if line)
    except msgspec.MsgspecError:
        raise InvalidRequestError(
            f"`{path}` holds no receipts: put one JSON object on each line"
        ) from None


def _say(report: FsckReport, *, as_json: bool) -> None:
    published = "nothing published" if report.published is None else f"{report.published} published"
    lines = [str(fault) for fault in report.faults]
    lines += [
        f"checked {report.entries} entries ({published}) and {report.pending} pending",
        f"{report.checkpoints} checkpoints, {report.customers} customers",
        f"{report.receipts} receipts, {report.erased} parts erased",
        f"{report.count} faults" if report.count else "no fault",
    ]
    document = {
        "entries": report.entries,
        "root": report.root,
        "published": report.published,
        "pending": report.pending,
        "checkpoints": report.checkpoints,
        "customers": report.customers,
        "receipts": report.receipts,
        "erased": report.erased,
        "count": report.count,
        "faults": [
            {"table": one.table, "index": one.index, "what": one.what, "remedy": one.remedy}
            for one in report.faults
        ],
    }
    say(document, lines, as_json=as_json)


def complete(
    customer: Annotated[str, typer.Argument(help="The customer's reference.")],
    *,
    tenant: Annotated[str, typer.Option(help="Tenant.")] = "demo",
    data_dir: DataDir = None,
    proofs: Annotated[
        Path | None, typer.Option(help="Folder for the `.tlog-proof` of each entry.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that what the store lists about a customer is all that the log holds."""
    settings = _settings(data_dir)
    url = database_url(settings)
    tables.check(url)
    keyring = open_keyring(settings)
    folder = TileFolder(log_dir(settings))
    note = folder.checkpoint.read_bytes() if folder.checkpoint.is_file() else None
    size = _size(note, log_signer(keyring, settings).verifier)
    with SqlReader(url) as store, store.read() as view:
        places = check_customer(view, EntryVault(keyring), tenant, customer, (folder, size))
    proven = [index for index in places if index < size]
    if proofs is not None and note is not None:
        proofs.mkdir(parents=True, exist_ok=True)
        for index in proven:
            proof = Proofs(folder.path).tlog_proof(index, note)
            (proofs / f"{index}.tlog-proof").write_bytes(proof)
    lines = [
        f"complete: numbers 0 to {len(places) - 1} are in the log once, number {len(places)} is not"
        if places
        else "complete: no entry is about this customer alone",
        f"entries {' '.join(map(str, places))}" if places else "",
        f"{len(proven)} of them under the signed checkpoint of {size}",
    ]
    document = {"entries": list(places), "signed_size": size, "proven": len(proven)}
    say(document, [line for line in lines if line], as_json=as_json)


def _size(note: bytes | None, key: VerifierKey) -> int:
    return 0 if note is None else open_checkpoint(note, key).size


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=f"Exit {Exit.FOUND:d}: something does not hold; a line for each fault.")(
        fsck
    )
    app.command(epilog=f"Exit {Exit.FOUND:d}: an entry is hidden; the line names it.")(complete)
