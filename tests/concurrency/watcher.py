"""A worker to be killed: reads a real ledger by small batches, and says one thing of each event.

What it says is a chain over all that it judged, so an event that was skipped, judged twice or out
of order changes everything after it.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from api import worker as module
from api.places import database_url, open_keyring, worker_file
from api.settings import load_settings
from api.worker import Detection, Worker
from guard.clock import Micros
from guard.errors import InvalidRequestError
from guard.events import FloorEvent, History
from guard.findings import Finding, Severity
from guard.store.sql_store import SqlReader
from guard.store.worker_file import WorkerFile
from guard.vault.sealing import EntryVault
from tests.support.people import make_finding

BATCH = 3
_encode = msgspec.json.Encoder().encode


class Chain:
    """Implements `api.worker.Kernel`: its state is the digest of everything that it was given."""

    def __init__(self, state: bytes | None) -> None:
        self._state = state or bytes(32)

    def warm_up(self, history: History) -> None: ...

    def step(
        self, events: Sequence[FloorEvent], *, complete_to: Micros | None = None
    ) -> list[Finding]:
        """One finding for each event, named by all that was before it."""
        assert complete_to is None or not events
        found = []
        for event in events:
            self._state = sha256(self._state + _encode(event)).digest()
            found.append(make_finding(Severity.LOW, key=self._state.hex()))
        return found

    def state(self) -> bytes:
        """The digest."""
        return self._state

    def fit_outliers(self, key: bytes) -> bytes | None:
        """None: there is no second opinion."""
        assert key
        return None

    def use_outliers(self, sealed: bytes, key: bytes) -> None: ...


def no_baseline(tenant: str, digest: str) -> History:
    """There is none."""
    raise InvalidRequestError(f"no baseline of {tenant} is called {digest}")


def watch(env: Mapping[str, str], file: Path | None, tell: Connection) -> None:
    """Turn for ever, and tell after each turn where the cursor is."""
    module.BATCH = BATCH
    # Every turn is saved: each kill falls near one.
    module.SAVE_S = module.HOLD_S = 0.0
    settings = load_settings(dict(env))
    keyring = open_keyring(settings)
    worker = Worker(
        store=SqlReader(database_url(settings)),
        vault=EntryVault(keyring),
        file=WorkerFile(file or worker_file(settings)),
        detection=Detection(kernel=Chain, baseline=no_baseline, model_key=lambda _: b"key"),
        refresh_keys=keyring.refresh,
        # Without it, a save that took long would put off the next one.
        mono=lambda: 0.0,
    )
    while True:
        worker.turn()
        tell.send_bytes(str(worker.cursor).encode())
