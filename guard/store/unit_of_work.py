"""A snapshot and the one open transaction, composed of the repositories."""

from collections.abc import Iterator
from contextlib import contextmanager

from guard.store.alerts import AlertReads, AlertWrites
from guard.store.budgets import BudgetReads, BudgetWrites
from guard.store.cases import CaseReads, CaseWrites
from guard.store.directory import DirectoryWrites
from guard.store.entries import EntryReads, EntryWrites
from guard.store.failures import translated
from guard.store.sessions import SessionReads, SessionWrites
from guard.store.settings import SettingReads, SettingWrites
from guard.store.situations import SituationReads


class SqlReadView(
    SituationReads, CaseReads, AlertReads, SessionReads, SettingReads, BudgetReads, EntryReads
):
    """`ports.ReadView` over SQL."""


class SqlUnitOfWork(
    DirectoryWrites,
    CaseWrites,
    AlertWrites,
    SessionWrites,
    SettingWrites,
    BudgetWrites,
    EntryWrites,
    SqlReadView,
):
    """`ports.UnitOfWork` over SQL."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See `UnitOfWork.savepoint`."""
        with translated(), self._connection.begin_nested():
            yield
