"""A snapshot and the one open transaction, composed of the repositories."""

from collections.abc import Iterator
from contextlib import contextmanager

from guard.errors import TransactionLostError
from guard.store.activations import ActivationReads, ActivationWrites
from guard.store.alerts import AlertReads, AlertWrites
from guard.store.budgets import BudgetReads, BudgetWrites
from guard.store.cases import CaseReads, CaseWrites
from guard.store.cutting import CutWrites
from guard.store.directory import DirectoryWrites
from guard.store.erasures import ErasureReads, ErasureWrites
from guard.store.event_parts import EventPartReads
from guard.store.exports import ExportReads, ExportWrites
from guard.store.failures import is_in_transaction, translated
from guard.store.grants import GrantReads, GrantWrites
from guard.store.holdbacks import HoldBackReads, HoldBackWrites
from guard.store.holds import HoldReads, HoldWrites
from guard.store.identifiers import IdentifierReads, IdentifierWrites
from guard.store.late_links import LateLinkReads, LateLinkWrites
from guard.store.log_search import LogSearch
from guard.store.log_tables import LogTableReads
from guard.store.own_activity import ActivityReads
from guard.store.pending import PendingReads, PendingWrites
from guard.store.relations import RelationReads, RelationWrites
from guard.store.sessions import SessionReads, SessionWrites
from guard.store.settings import SettingReads, SettingWrites
from guard.store.situations import SituationReads
from guard.store.writer_parts import WriterPartReads, WriterPartWrites


class SqlReadView(
    SituationReads,
    CaseReads,
    GrantReads,
    AlertReads,
    SessionReads,
    SettingReads,
    BudgetReads,
    PendingReads,
    LogSearch,
    RelationReads,
    LateLinkReads,
    IdentifierReads,
    ActivationReads,
    EventPartReads,
    HoldBackReads,
    ActivityReads,
    WriterPartReads,
    LogTableReads,
    ErasureReads,
    HoldReads,
    ExportReads,
):
    """`ports.ReadView` over SQL."""


class SqlUnitOfWork(
    DirectoryWrites,
    CaseWrites,
    GrantWrites,
    AlertWrites,
    SessionWrites,
    SettingWrites,
    ActivationWrites,
    BudgetWrites,
    PendingWrites,
    CutWrites,
    IdentifierWrites,
    RelationWrites,
    LateLinkWrites,
    HoldBackWrites,
    WriterPartWrites,
    ErasureWrites,
    HoldWrites,
    ExportWrites,
    SqlReadView,
):
    """`ports.UnitOfWork` over SQL."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See `UnitOfWork.savepoint`."""
        try:
            with translated(), self._connection.begin_nested():
                yield
        except BaseException:
            if not is_in_transaction(self._connection):
                raise TransactionLostError(
                    "the database gave the whole transaction up, see its disk, then try again"
                ) from None
            raise
