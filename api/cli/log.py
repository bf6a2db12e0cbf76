"""`guard verify`: the log, checked."""

from pathlib import Path
from typing import Annotated

import typer

from api.audit import verify_store
from api.cli.outcome import Exit, Json, say
from api.places import database_url, kept_notes, log_signer, open_keyring
from api.settings import load_settings
from guard.clock import to_rfc3339
from guard.ledger.anchors import Stamps
from guard.ledger.trust import TrustPolicy, parse_policy
from guard.ledger.verify import verify_files
from guard.store import migrate as tables
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault


def verify(
    *,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data folder; RECORDGUARD_DATA_DIR.")
    ] = None,
    log_dir: Annotated[
        Path | None,
        typer.Option(help="Check a published log alone; needs --vkey or --policy and no keys."),
    ] = None,
    vkey: Annotated[str, typer.Option(help="The log's key, as `guard verify` prints it.")] = "",
    policy: Annotated[
        Path | None,
        typer.Option(help="With --log-dir: a tlog-policy file whose quorum must have cosigned."),
    ] = None,
    tsa_ca: Annotated[
        Path | None,
        typer.Option(help="With --log-dir: PEM roots of the time stamps, which are checked then."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rebuild the tree and check every entry, part, number, key and the signed checkpoint."""
    if log_dir is not None:
        trust = vkey if policy is None else parse_policy(policy.read_bytes())
        _verify_published(log_dir, trust, tsa_ca, as_json=as_json)
        return
    settings = load_settings()
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    url = database_url(settings)
    tables.check(url)
    keyring = open_keyring(settings)
    with SqlReader(url) as store, store.read() as view:
        signer = log_signer(keyring, settings)
        kept = [p.read_bytes() for p in kept_notes(settings) if p.is_file()]
        verdict = verify_store(view, EntryVault(keyring), signer.verifier, kept)
    signed = verdict.checkpoint_size
    lines = [
        f"verified {verdict.size} entries, root {verdict.root}",
        f"opened {verdict.opened}, erased parts {verdict.erased}",
        "no checkpoint yet" if signed is None else f"signed checkpoint of {signed} entries holds",
        f"log key {signer.vkey}",
    ]
    document = {
        "size": verdict.size,
        "root": verdict.root,
        "opened": verdict.opened,
        "erased": verdict.erased,
        "checkpoint_size": signed,
        "vkey": signer.vkey,
    }
    say(document, lines, as_json=as_json)


def _verify_published(
    log_dir: Path, trust: str | TrustPolicy, tsa_ca: Path | None, *, as_json: bool
) -> None:
    """Check the published files by themselves, as any outsider can."""
    stamps = None if tsa_ca is None else Stamps(tsa_ca.read_bytes())
    report = verify_files(log_dir, trust, stamps=stamps)
    anchored_at = "" if report.anchored_at is None else to_rfc3339(report.anchored_at)
    is_cosigned = isinstance(trust, TrustPolicy) and trust.wants_witnesses
    document = {
        "size": report.size,
        "root": report.root.hex(),
        "signed_size": report.signed_size,
        "writers": report.writers,
        "cosigned": is_cosigned,
        "anchors": report.anchors,
        "anchored_at": anchored_at,
    }
    lines = [
        f"verified {report.size} entries of {report.writers} writers, root {report.root.hex()}",
        f"signed checkpoint of {report.signed_size} entries holds",
    ]
    if is_cosigned:
        lines.append("the quorum of witnesses cosigned it")
    if anchored_at:
        lines.append(f"{report.anchors} time stamps hold, the newest of {anchored_at}")
    say(document, lines, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=f"Exit {Exit.FOUND:d}: the log does not hold; the line names the entry.")(
        verify
    )
