"""What the HTTP layer needs of histories, disputes and hold-backs, stated as protocols."""

from typing import Protocol

from guard.clock import Micros
from guard.history import HistoryPage, HoldBackPut, OwnHistory
from guard.principals import Principal
from guard.rows import DisputeRow, HoldBackRow


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
