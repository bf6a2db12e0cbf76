"""Where things lie, said once for the service, its worker and every command."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from api.settings import Settings
from guard.ledger.note import NoteSigner
from guard.store.engine import sqlite_url
from guard.vault.keyring import Keyring


def database_url(settings: Settings) -> str:
    """The database that the settings name, or the SQLite file in the data folder."""
    return settings.database_url or sqlite_url(settings.data_dir / "ledger.db")


def keyring_file(settings: Settings) -> Path:
    """The file of wrapped keys."""
    return settings.data_dir / "keys" / "keyring.json"


def open_keyring(settings: Settings) -> Keyring:
    """Open the keys of this installation, making them on the very first run.

    Raises:
        ConfigurationError: The KMS is not supported, or the root key file is unsafe.
        KeyUnavailableError: A key file that must exist is missing or another one's.
    """
    uri = settings.kms_uri or (settings.data_dir / "keys" / "root.key").absolute().as_uri()
    return Keyring.open(uri, keyring_file(settings))


def rewrapped_dir(settings: Settings) -> Path:
    """Keys that were wrapped anew, for a database that comes back older; they go with the keys."""
    return settings.data_dir / "keys" / "rewrapped"


def erasures_file(settings: Settings) -> Path:
    """Who was forgotten, kept outside the database: never restore the two together."""
    return settings.data_dir / "erasures"


def worker_file(settings: Settings) -> Path:
    """The worker's own file: cursor, state, outbox."""
    return settings.data_dir / "worker.db"


def index_cursor(settings: Settings) -> Path:
    """Where a walk that fills the index of identifiers stood when it was stopped."""
    return settings.data_dir / "index-cursor.json"


def baselines_dir(settings: Settings) -> Path:
    """The folder of sealed warm-up files."""
    return settings.data_dir / "baselines"


def log_signer(keyring: Keyring, settings: Settings) -> NoteSigner:
    """What signs this log's checkpoints, in the name of its origin."""
    name = f"log/{settings.origin}"
    second = keyring.ml_dsa_key(name) if settings.checkpoint_ml_dsa else None
    return NoteSigner(settings.origin, keyring.signing_key(name), second)


def high_water(settings: Settings) -> Path:
    """What was signed last, kept outside the database: never restore the two together."""
    return settings.data_dir / "high-water"


def kept_notes(settings: Settings) -> tuple[Path, Path]:
    """Signed checkpoints outside the database, which every copy of it must continue."""
    return high_water(settings), log_dir(settings) / "checkpoint"


def outage_file(settings: Settings, what: str) -> Path:
    """Since when witnesses or the time-stamping authority fail; there is none while they do not."""
    return settings.data_dir / "outages" / what


def log_dir(settings: Settings) -> Path:
    """The folder of the published log: checkpoint, tiles and bundles, for anybody to fetch."""
    return settings.data_dir / "log"


def product_version() -> str:
    """The version of what is installed; `0` in a checkout that is not."""
    try:
        return version("recordguard")
    except PackageNotFoundError:
        return "0"


def export_signer(keyring: Keyring, settings: Settings) -> NoteSigner:
    """What signs the manifests of exports; the log's own key signs checkpoints only."""
    name = f"{settings.origin}/exports"
    return NoteSigner(name, keyring.signing_key(name))
