"""What the HTTP layer needs of the log: questions, exports, histories, forgetting."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from guard.auditing import LogPage
from guard.clock import Micros
from guard.entries import OpenedEntry
from guard.evidence.selecting import Question
from guard.exporting import Download
from guard.exports.order import ExportOrder
from guard.forgetting import ErasureGround, HoldPut
from guard.forgetting.erasures import Erasing
from guard.history import HistoryPage, HoldBackPut, OwnHistory
from guard.principals import Principal
from guard.rows import (
    DisputeRow,
    ErasureRow,
    ExportJobRow,
    HoldBackRow,
    HoldRow,
    LogQuery,
)


class Auditing(Protocol):
    """*Protocol* of reading the log: `guard.auditing`."""

    async def views(self, principal: Principal, query: LogQuery, reason: str = "") -> LogPage:
        """A page of the log; asking is an entry too."""
        ...

    async def entry(self, principal: Principal, where: int | bytes) -> OpenedEntry:
        """One entry of the log; looking is an entry too."""
        ...

    async def checkpoint(self) -> bytes:
        """The published checkpoint."""
        ...

    async def proof(self, where: int | bytes) -> bytes:
        """The proof that an entry is in the log."""
        ...


class Exports(Protocol):
    """*Protocol* of giving the log out: `guard.exporting`."""

    async def export(self, principal: Principal, order: ExportOrder) -> Download:
        """A file of the log, in pieces."""
        ...

    async def resume(self, principal: Principal, job_id: str, received: int) -> Download:
        """The rest of a file."""
        ...

    async def progress(self, principal: Principal, job_id: str) -> ExportJobRow:
        """How much of a file has left."""
        ...

    async def manifest(self, principal: Principal, digest: str) -> bytes:
        """The signed manifest of an exported file, by the file's SHA-256."""
        ...

    async def raw(
        self, principal: Principal, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """A range of the log as it is kept."""
        ...


class Evidence(Protocol):
    """*Protocol* of bundles that outsiders check: `guard.evidence.service`."""

    async def make(self, principal: Principal, question: Question) -> AsyncIterator[bytes]:
        """A bundle, in pieces."""
        ...


class TenantKeys(Protocol):
    """*Protocol* of a tenant's own keys; `guard.vault.keyring.Keyring` is the real one."""

    def derived(self, tenant: str, use: str) -> bytes:
        """A key of the tenant for one use, the same after every restart."""
        ...


class Erasures(Protocol):
    """*Protocol* of forgetting customers: `guard.forgetting`."""

    async def propose(
        self, principal: Principal, customer: str, ground: ErasureGround, reason: str
    ) -> Erasing:
        """Propose an erasure."""
        ...

    async def approve(self, principal: Principal, erasure_id: str) -> Erasing:
        """Approve somebody else's."""
        ...

    async def get(self, principal: Principal, erasure_id: str) -> ErasureRow:
        """Where one stands."""
        ...

    async def list(self, principal: Principal) -> list[ErasureRow]:
        """The newest."""
        ...


class Holds(Protocol):
    """*Protocol* of legal holds: `guard.forgetting`."""

    async def set(self, principal: Principal, put: HoldPut) -> HoldRow:
        """Set a hold."""
        ...

    async def lift(self, principal: Principal, hold_id: str) -> HoldRow:
        """Propose to lift a hold, or lift it."""
        ...

    async def list(self, principal: Principal) -> list[HoldRow]:
        """All holds."""
        ...


class Histories(Protocol):
    """*Protocol* of customers' own histories: `guard.history.customer`."""

    async def page(
        self, principal: Principal, ref: str, *, before: int | None, limit: int
    ) -> HistoryPage:
        """A signed page, newest first."""
        ...


class OwnHistories(Protocol):
    """*Protocol* of what is logged about oneself: `guard.history.own`."""

    async def mine(
        self, principal: Principal, *, since: Micros | None = None, until: Micros | None = None
    ) -> OwnHistory:
        """What is logged about the caller."""
        ...

    def sign(self, principal: Principal, mine: OwnHistory, said: Mapping[str, object]) -> bytes:
        """The same as a signed document, in the words of the answer."""
        ...


class Disputes(Protocol):
    """*Protocol* of customers' disputes: `guard.history.disputes`."""

    async def dispute(self, principal: Principal, ref: str, entry_id: str, text: str) -> DisputeRow:
        """Keep a dispute of one row."""
        ...


class HoldBacks(Protocol):
    """*Protocol* of what histories leave out: `guard.history.hold_backs`."""

    async def propose(self, principal: Principal, put: HoldBackPut) -> HoldBackRow:
        """Propose one."""
        ...

    async def approve(self, principal: Principal, hold_back_id: str) -> HoldBackRow:
        """Approve somebody else's."""
        ...

    async def end(self, principal: Principal, hold_back_id: str) -> HoldBackRow:
        """End one early."""
        ...

    async def page(self, principal: Principal) -> list[HoldBackRow]:
        """Those that are not over."""
        ...
