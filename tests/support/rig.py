"""The whole guard put together over a real store, with a record source in memory.

For tests of what the services do together: real policies, real masks, real keys, real commits.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from guard.access_review import AccessReviews
from guard.activations import Activations
from guard.admission import GroupCommitter
from guard.alerts import Alerts
from guard.auditing import Auditing, PublishedLog
from guard.backtest import Backtests
from guard.break_glass import BreakGlass
from guard.broker import Broker
from guard.clock import ManualClock, Micros
from guard.directory import Directory
from guard.enrolment import CustomerPut, Enrolment
from guard.entries import OpenedEntry, Receipt
from guard.exporting import Exports, Manifests
from guard.in_force import Policies
from guard.ledger.entry import Sealer, open_entry
from guard.ledger.note import NoteSigner
from guard.ledger.publisher import Publisher
from guard.ledger.receipts import ReceiptSigner
from guard.modes import Modes
from guard.ports import ReadView
from guard.principals import Principal
from guard.purposes.cases import Cases
from guard.purposes.presence import Presence
from guard.purposes.relations import Relations
from guard.purposes.reports import AssignmentPut, CasePut
from guard.purposes.samples import Samples
from guard.purposes.ties import Ties
from guard.purposes.work_lists import WorkLists
from guard.rows import PrincipalRow, Situation, SituationQuery
from guard.sources.memory import MemorySource
from guard.store import SqlStore
from guard.store.readers import ThreadedReaders
from guard.suspensions import Suspensions
from guard.vault.keyring import Keyring
from guard.vault.pseudonyms import Pseudonyms
from guard.vault.sealing import EntryVault
from guard.views import ViewRequest
from policies.bundle import load_bundle
from policies.model import ActorKind, Role
from tests.support.acts import MemoryChannel, MemoryLookup, channels
from tests.support.log import entry_of, settle
from tests.support.makers import TENANT
from tests.support.policy_bundles import default_files

T = TypeVar("T")

SCOPES = frozenset(
    {
        "relations:write",
        "samples:write",
        "ties:write",
        "views:write",
        "cases:write",
        "customers:write",
        "directory:write",
        "presence:write",
        "work-lists:write",
    }
)


def make_caller(principal_id: str = "a1", **changes: Any) -> Principal:  # noqa: ANN401 - any field
    """An agent who calls, always on shift."""
    values: dict[str, Any] = {
        "id": principal_id,
        "tenant": TENANT,
        "region": "eu",
        "vendor": "vend",
        "site": "site-1",
        "team": "team-1",
        "line": ("lead-1", "manager-1"),
        "role": Role.AGENT,
        "kind": ActorKind.HUMAN,
        "actor": None,
        "client": "desk",
        "session": "s1",
        "scopes": SCOPES,
        "shift": None,
        "mfa_at": None,
    }
    return Principal(**values | changes)


def row_of(principal: Principal) -> PrincipalRow:
    """The directory's row of a caller."""
    return PrincipalRow(
        id=principal.id,
        tenant=principal.tenant,
        region=principal.region,
        vendor=principal.vendor,
        site=principal.site,
        team=principal.team,
        line=principal.line,
        role=principal.role,
        kind=principal.kind,
        shift=principal.shift,
    )


def make_record(number: int) -> dict[str, object]:
    """A customer's record with every field of the shipped catalogue."""
    return {
        "full_name": "Maria Gonzalez",
        "email": "maria.gonzalez@example.com",
        "phone": "+34 612 345 678",
        "birth_date": "1984-03-09",
        "national_id": "X1234567L",
        "address": {
            "street": "Calle Mayor 12",
            "city": "Madrid",
            "postcode": "28013",
            "country": "ES",
        },
        "balance_minor": 1_234_567,
        "iban": "ES9121000418450200051332",
        "id_document": {
            "kind": "passport",
            "number": "AAB123456",
            "image_url": "https://example.com/doc/1",
        },
        "notes": "asked to call back",
        "preferences": {"language": "es", "marketing": False},
        "plan": "gold",
        "member_since": "2019-07-01",
        "cards": [{"brand": "visa", "number": "4111111111111111", "expiry": "2029-01"}],
        "last_orders": [
            {"id": f"o-{number}", "placed_on": "2026-11-01", "total_minor": 4_200, "item": "cable"}
        ],
    }


class SettledReaders(ThreadedReaders):
    """Readers that find everything that was answered before: no test has to wait."""

    def __init__(self, store: SqlStore) -> None:
        """Read from `store`."""
        super().__init__(store, deadline_s=20.0)
        self._settled = store

    async def read(self, look: Callable[[ReadView], T]) -> T:
        """See `Readers.read`."""
        settle(self._settled)
        return await super().read(look)

    async def situation(self, query: SituationQuery) -> Situation:
        """See `Readers.situation`."""
        settle(self._settled)
        return await super().situation(query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Every service, over one store."""

    store: SqlStore
    clock: ManualClock
    keyring: Keyring
    vault: EntryVault
    source: MemorySource
    lookup: MemoryLookup
    channels: Mapping[str, MemoryChannel]
    readers: ThreadedReaders
    committer: GroupCommitter
    broker: Broker
    enrolment: Enrolment
    cases: Cases
    relations: Relations
    ties: Ties
    samples: Samples
    work_lists: WorkLists
    break_glass: BreakGlass
    presence: Presence
    modes: Modes
    policies: Policies
    activations: Activations
    backtests: Backtests
    access_reviews: AccessReviews
    directory: Directory
    suspensions: Suspensions
    alerts: Alerts
    auditing: Auditing
    exports: Exports
    publisher: Publisher

    async def customers(self, count: int, **changes: Any) -> list[str]:  # noqa: ANN401 - any field
        """References of `count` customers whose records are in the source."""
        puts = [
            replace(CustomerPut(source="crm", source_key=str(n), region="eu"), **changes)
            for n in range(1, count + 1)
        ]
        refs = await self.enrolment.enrol(make_caller("crm-sync", role=Role.SERVICE), puts)
        return [refs["crm", str(n)] for n in range(1, count + 1)]

    async def case(
        self,
        ref: str,
        agent: str = "a1",
        *,
        how: str = "inbound",
        **changes: Any,  # noqa: ANN401 - any field
    ) -> str:
        """An open case of a customer, assigned since a minute."""
        case_id = "k-" + secrets.token_hex(4)
        since: Micros = self.clock.now() - 60_000_000
        put = CasePut(
            id=case_id,
            customer=ref,
            channel="phone",
            opened_at=since,
            assignments=(AssignmentPut(agent=agent, how=how, from_at=since),),
        )
        desk = make_caller("desk", role=Role.SERVICE)
        await self.cases.put(desk, replace(put, **changes))
        return case_id

    def asks(self, ref: str, case: str | None = None, **changes: Any) -> ViewRequest:  # noqa: ANN401 - any field
        """A request for a support view."""
        return replace(ViewRequest(customer=ref, purpose="support_case", case=case), **changes)

    def entry(self, receipt: Receipt) -> OpenedEntry:
        """The entry that a receipt promises."""
        return entry_of(receipt, self.log())

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        """A snapshot in which everything that was answered before has its place."""
        settle(self.store)
        with self.store.read() as view:
            yield view

    def log(self) -> list[OpenedEntry]:
        """The whole ledger, opened."""
        settle(self.store)
        with self.store.read() as view:
            stored = view.entries(0, 100_000)
            subjects = view.subjects({ref for entry in stored for ref in entry.refs})
        return [open_entry(entry, self.vault, subjects) for entry in stored]


@contextmanager
def open_rig(
    store: SqlStore, clock: ManualClock, folder: Path, files: Mapping[str, bytes] | None = None
) -> Iterator[Rig]:
    """Put the guard together over `store`, with keys below `folder`, and start its writer."""
    keys = folder / "keys"
    keyring = Keyring.open((keys / "root.key").as_uri(), keys / "keyring.json")
    vault = EntryVault(keyring)
    writer = secrets.token_bytes(8)
    committer = GroupCommitter(
        store,
        Sealer(vault, writer),
        ReceiptSigner.fresh(writer),
        clock=clock,
        deadline_s=20.0,
    )
    readers = SettledReaders(store)
    source = MemorySource("crm", {str(n): make_record(n) for n in range(1, 301)})
    lookup, reached = MemoryLookup(), channels()
    enrolment = Enrolment(committer, keyring, clock)
    pseudonyms = Pseudonyms(keyring)
    alerts = Alerts(committer, readers, clock, pseudonyms, vault)
    policies = Policies(load_bundle(default_files() if files is None else files))
    activations = Activations(committer, readers, clock, policies, alerts)
    committer.start()
    try:
        yield Rig(
            store=store,
            clock=clock,
            keyring=keyring,
            vault=vault,
            source=source,
            lookup=lookup,
            channels=reached,
            readers=readers,
            committer=committer,
            enrolment=enrolment,
            broker=Broker(
                readers=readers,
                committer=committer,
                policies=policies,
                sources={"crm": source},
                keyring=keyring,
                clock=clock,
                source_deadline_s=20.0,
                lookup=lookup,
                channels=reached,
            ),
            cases=Cases(committer, enrolment, clock),
            relations=Relations(committer, clock),
            ties=Ties(committer, clock),
            samples=Samples(committer, readers, clock, min_pool=1),
            work_lists=WorkLists(committer, readers, keyring, clock),
            break_glass=BreakGlass(committer, readers, clock, alerts, pseudonyms, vault),
            presence=Presence(committer, keyring, clock),
            modes=Modes(committer, readers, clock),
            policies=policies,
            activations=activations,
            backtests=Backtests(committer, readers, clock, vault, activations),
            access_reviews=AccessReviews(committer, readers, clock, vault, policies),
            directory=Directory(committer, readers, clock),
            suspensions=Suspensions(committer, readers, clock),
            alerts=alerts,
            auditing=Auditing(
                committer,
                readers,
                clock,
                vault,
                PublishedLog(log_dir=folder / "log"),
            ),
            exports=Exports(
                committer,
                readers,
                clock,
                vault,
                Manifests(
                    folder=folder / "manifests",
                    signer=NoteSigner("t/exports", keyring.signing_key("t/exports")),
                    version="0",
                ),
            ),
            publisher=Publisher(
                NoteSigner("t", keyring.signing_key("t")),
                log_dir=folder / "log",
                high_water=folder / "high-water",
            ),
        )
    finally:
        committer.close()
        readers.close()
