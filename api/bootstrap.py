"""The only place that knows every room: builds the service from its settings.

`build` opens and checks everything that can be wrong at start (bundle, keys, mapping, store) and
refuses with one clear error; `Services.start` begins what runs beside the requests, `close` ends it
in order: no new work, what waits is committed, the log is published once more.
"""

import asyncio
import contextlib
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from pathlib import Path

from api.background import (
    anchor_forever,
    apply_forever,
    expire_forever,
    follow_forever,
    place_forever,
    publish_forever,
    reconcile_forever,
    remind_forever,
    shred_forever,
    watch_forever,
)
from api.identity.credentials import Credentials
from api.metrics import Metrics
from api.operator_files import contacts_of, open_retention, open_secrets, open_sources
from api.outsiders import Outsiders, open_outsiders
from api.places import (
    database_url,
    erasures_file,
    export_signer,
    high_water,
    log_dir,
    log_signer,
    open_keyring,
    product_version,
    rewrapped_dir,
    worker_file,
)
from api.settings import Settings
from api.sinks import Sinks, open_sinks
from guard.access_review import AccessReviews
from guard.activations import Activations, load_active
from guard.admission import GroupCommitter
from guard.after_reviews import AfterReviews
from guard.alerts import Alerts
from guard.auditing import Auditing, PublishedLog
from guard.backtest import Backtests
from guard.break_glass import BreakGlass
from guard.broker import Broker
from guard.broker.path import MAX_TRIES
from guard.clock import SECOND, Clock, DomainClock, Rate, wall_micros
from guard.contacts import Contacts
from guard.directory import Directory
from guard.enrolment import Enrolment
from guard.entries import SYSTEM, EntryKind, NewEntry, system_event
from guard.errors import ConfigurationError, GuardError, StoreUnavailableError
from guard.evidence.service import Evidence
from guard.exporting import Exports, Manifests
from guard.forgetting import (
    Erasures,
    Holds,
    Restoring,
    Retention,
    Shredding,
)
from guard.forgetting.restoring import note_restored
from guard.forgetting.shredding import Keys
from guard.history import CustomerHistory, Disputes, HoldBacks, OwnHistories
from guard.identifiers import Identifiers
from guard.in_force import Policies
from guard.indexing import AT_ONCE, PAGE, Indexing
from guard.ledger.backlog import Backlog, Lag
from guard.ledger.entry import Sealer
from guard.ledger.integrator import Integrator
from guard.ledger.publisher import Publisher
from guard.ledger.receipts import ReceiptSigner
from guard.ledger.tiles import TileFolder
from guard.ledger.writer_keys import WriterKey, publish_writer
from guard.masking.plans import catalogue_faults
from guard.merges import Merges
from guard.modes import Modes
from guard.ports import Committer, Readers, RecordSource, Store, Transaction
from guard.purposes.cases import Cases
from guard.purposes.presence import Presence
from guard.purposes.relations import Relations
from guard.purposes.samples import Samples
from guard.purposes.ties import Ties
from guard.purposes.work_lists import WorkLists
from guard.purposes.workload import Workload
from guard.reconciliation import Reconciliation
from guard.redactions import Redactions
from guard.sinks import DeclaredSink, Pusher
from guard.source_reads import ReadCounter
from guard.sources.counted import CountedSource
from guard.store.publishing import SqlPublishing
from guard.store.readers import ThreadedReaders
from guard.store.sql_store import SqlStore
from guard.store.worker_file import WorkerFile
from guard.suspensions import Suspensions
from guard.system_reads import SystemReads
from guard.vault.erasures_file import ErasuresFile
from guard.vault.escrow import Escrow
from guard.vault.identifiers import NormalForms
from guard.vault.keyring import Keyring
from guard.vault.pseudonyms import Pseudonyms
from guard.vault.sealing import EntryVault
from policies.bundle import Bundle, load_bundle
from policies.errors import PolicyError

WRITER_BYTES = 8
# Where others may write too: one that says nothing for so many counts is taken for dead.
SILENT_COUNTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the entry points need, built once."""

    settings: Settings
    clock: Clock
    store: SqlStore
    readers: Readers
    committer: Committer
    broker: Broker
    cases: Cases
    workload: Workload
    relations: Relations
    ties: Ties
    samples: Samples
    work_lists: WorkLists
    break_glass: BreakGlass
    presence: Presence
    modes: Modes
    activations: Activations
    backtests: Backtests
    access_reviews: AccessReviews
    directory: Directory
    enrolment: Enrolment
    alerts: Alerts
    suspensions: Suspensions
    auditing: Auditing
    reconciliation: Reconciliation
    histories: CustomerHistory
    own_histories: OwnHistories
    disputes: Disputes
    hold_backs: HoldBacks
    exports: Exports
    evidence: Evidence
    identifiers: Identifiers
    indexing: Indexing
    contacts: Contacts
    merges: Merges
    redactions: Redactions
    erasures: Erasures
    holds: Holds
    shredding: Shredding
    retention: Retention
    restoring: Restoring
    credentials: Credentials
    keyring: Keyring
    vault: EntryVault
    metrics: Metrics
    bundle: Bundle
    _writer: GroupCommitter
    _threads: ThreadedReaders
    _publisher: Publisher
    _integrator: Integrator | None
    _reviews: AfterReviews
    _sources: Mapping[str, RecordSource]
    _reads: ReadCounter
    _sinks: Sinks
    _outbox: WorkerFile
    _outsiders: Outsiders
    _certify: Callable[[], None]
    _backlog: Backlog = field(default_factory=Backlog)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Register the writer and the bundle, then begin what runs beside requests.

        Raises:
            StoreUnavailableError: The store cannot be written.
            ForkError: The store does not continue what was signed.
        """
        # What a restored backup does not know is forgotten again before anything is served.
        restored = await asyncio.to_thread(self.restoring.replay)
        # A store that does not continue what was signed is not written to: whoever restored or
        # changed it must be found first.
        await self.readers.read(self._publisher.examine)
        if self._integrator is not None:
            self._writer.on_commit = self._integrator.wake
            self._integrator.start()
        # Before the first receipt, so that none is given whose key nobody can know.
        await asyncio.to_thread(self._certify)
        await asyncio.to_thread(self._writer.start)
        await self.committer.run(lambda tx: note_restored(tx, self.clock))
        if restored.is_needed:
            await self.shredding.turn()
        await self.committer.run(self._register_bundle)
        interval_s = self.settings.reconcile_interval_s
        is_alone = self.store.places_at_commit
        quiet = None if is_alone else int(SILENT_COUNTS * interval_s * SECOND)
        await self.reconciliation.look_back(quiet=quiet)
        publishing = publish_forever(
            self._publisher,
            self.readers,
            self._writer,
            self.clock,
            self.settings.checkpoint_interval_s,
        )
        if self._integrator is not None:
            placing = place_forever(
                self._integrator,
                self.readers,
                self._writer,
                self.clock,
                (self._backlog, self.metrics),
            )
            self._tasks.append(asyncio.create_task(placing, name="place"))
        applying = apply_forever(self._outbox, self.readers, self.alerts)
        self._tasks.append(asyncio.create_task(publishing, name="publish"))
        self._tasks.append(asyncio.create_task(applying, name="apply"))
        following = follow_forever(self.activations, self._writer)
        self._tasks.append(asyncio.create_task(following, name="follow"))
        reminding = remind_forever(self._reviews, self.metrics)
        self._tasks.append(asyncio.create_task(reminding, name="remind"))
        counting = reconcile_forever(self.reconciliation, self._reads, self.metrics, interval_s)
        self._tasks.append(asyncio.create_task(counting, name="reconcile"))
        shredding, expiring = shred_forever(self.shredding), expire_forever(self.retention)
        self._tasks.append(asyncio.create_task(shredding, name="shred"))
        self._tasks.append(asyncio.create_task(expiring, name="expire"))
        self._tasks.extend(self._sinks.start(self.metrics))
        if self._outsiders.outages():
            watching = watch_forever(self._outsiders, self._writer, self.metrics, wall_micros)
            self._tasks.append(asyncio.create_task(watching, name="watch"))
        if self._outsiders.anchors is not None:
            anchoring = anchor_forever(self._outsiders.anchors)
            self._tasks.append(asyncio.create_task(anchoring, name="anchor"))

    def check(self) -> None:
        """Look whether a view would work right now; blocks while the store is busy.

        Raises:
            StoreUnavailableError: The store cannot be written, the writer has died, or what runs
                beside the requests has ended: publishing does when it finds a fork.
        """
        if not self._writer.is_alive:
            raise StoreUnavailableError("the writer is stopped, start the service again")
        if any(task.done() for task in self._tasks):
            raise StoreUnavailableError("the log is not kept up any more, see the service's log")
        if self._integrator is not None:
            self._integrator.check()
        self.store.check()

    def warnings(self) -> tuple[str, ...]:
        """What does not keep a view from working yet, and will if it goes on."""
        late = () if self._backlog.lag is Lag.NONE else ("the tree is behind what is durable",)
        return (*late, *self._outsiders.warnings(wall_micros()))

    def remarks(self) -> list[str]:
        """What an operator should look at although views work; it names nobody."""
        return self._sinks.remarks()

    async def close(self) -> None:
        """Stop what `start` began, publish what is left, give everything back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(GuardError):
            # What is not counted now is open in the writer's last entry.
            await self.reconciliation.count()
        with contextlib.suppress(GuardError):
            # What cannot be published now is published at the next start.
            await self._publisher.publish_once(self.readers, self.committer, self.clock.now())
        await asyncio.to_thread(self._publisher.release)
        await asyncio.to_thread(self._writer.close)
        if self._integrator is not None:
            await asyncio.to_thread(self._integrator.close)
        for source in self._sources.values():
            await source.close()
        await self.contacts.close()
        await self._sinks.close()
        await self._outsiders.client.close()
        self._threads.close()
        self._outbox.close()
        self.store.close()

    def _register_bundle(self, tx: Transaction) -> None:
        """Keep the bundle and say so in the log, unless it is known."""
        if tx.rows.bundle(self.bundle.digest) is not None:
            return
        tx.rows.put_bundle(self.bundle.digest, self.bundle.files)
        event = system_event(
            SYSTEM,
            EntryKind.BUNDLE,
            self.clock.now(),
            {"digest": self.bundle.digest, "files": sorted(self.bundle.files)},
        )
        tx.record(NewEntry(kind=EntryKind.BUNDLE, event=event))


def build(settings: Settings) -> Services:
    """Open and check everything, in the order in which errors are easiest to mend.

    Raises:
        ConfigurationError: Something cannot be used; the message names it, with file and line.
        StoreUnavailableError: The database cannot be reached.
        KeyUnavailableError: A key that must exist is missing.
    """
    bundle = open_bundle(settings.policy_dir)
    sources = open_sources(settings)
    contacts = contacts_of(settings)
    declared = open_sinks(settings.sinks_file, open_secrets(settings))
    keyring = open_keyring(settings)
    with contextlib.ExitStack() as undo:
        store = SqlStore(database_url(settings))
        undo.callback(store.close)
        threads = ThreadedReaders(store, deadline_s=settings.read_deadline_s)
        undo.callback(threads.close)
        outbox = WorkerFile(worker_file(settings))
        undo.callback(outbox.close)
        services = _compose(
            settings, bundle, (sources, contacts, declared), keyring, (store, threads, outbox)
        )
        undo.pop_all()
        return services


def _compose(
    settings: Settings,
    bundle: Bundle,
    behind: tuple[Mapping[str, RecordSource], Contacts, Sequence[DeclaredSink]],
    keyring: Keyring,
    opened: tuple[SqlStore, ThreadedReaders, WorkerFile],
) -> Services:
    store, readers, outbox = opened
    sources, contacts, declared = behind
    rules = open_retention(settings)
    clock = open_clock(store, settings)
    vault = EntryVault(keyring)
    writer = secrets.token_bytes(WRITER_BYTES)
    receipts = ReceiptSigner.fresh(writer)
    committer = GroupCommitter(
        store,
        Sealer(vault, writer),
        receipts,
        clock=clock,
        deadline_s=settings.admit_deadline_s,
    )
    forms = NormalForms(calling_code=settings.calling_code)
    enrolment = Enrolment(committer, keyring, clock, forms)
    identifiers = Identifiers(readers, keyring, forms)
    policies = Policies(bundle)
    pseudonyms = Pseudonyms(keyring)
    alerts = Alerts(committer, readers, clock, pseudonyms, vault)
    with store.read() as view:
        for tenant, active in load_active(view).items():
            policies.put(tenant, active)
    activations = Activations(committer, readers, clock, policies, alerts)
    counter = ReadCounter()
    counted = {name: CountedSource(source, counter) for name, source in sources.items()}
    reads = SystemReads(counted, keyring, deadline_s=settings.source_deadline_s)
    reconciliation = Reconciliation(
        committer=committer,
        readers=readers,
        clock=clock,
        vault=vault,
        alerts=alerts,
        counter=counter,
        sources=counted,
        writer=writer,
        grace_s=longest_act_s(settings),
    )
    committer.last_words = reconciliation.last_words
    keys = Keys(
        keyring=keyring,
        escrow=Escrow(rewrapped_dir(settings)),
        file=ErasuresFile(erasures_file(settings)),
    )
    signer = log_signer(keyring, settings)
    outsiders = open_outsiders(settings, signer)
    log = PublishedLog(log_dir=log_dir(settings))
    manifests = Manifests(
        folder=settings.data_dir / "manifests",
        signer=export_signer(keyring, settings),
        version=product_version(),
    )
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        readers=readers,
        committer=committer,
        broker=Broker(
            readers=readers,
            committer=committer,
            policies=policies,
            sources=counted,
            keyring=keyring,
            clock=clock,
            source_deadline_s=settings.source_deadline_s,
            lookup=identifiers,
            channels=contacts.channels,
        ),
        cases=Cases(committer, enrolment, clock, identifiers),
        workload=Workload(readers, clock),
        relations=Relations(committer, clock),
        ties=Ties(committer, clock),
        samples=Samples(committer, readers, clock, settings.sample_min_pool),
        work_lists=WorkLists(committer, readers, keyring, clock),
        break_glass=BreakGlass(committer, readers, clock, alerts, pseudonyms, vault),
        presence=Presence(committer, keyring, clock),
        modes=Modes(committer, readers, clock),
        activations=activations,
        backtests=Backtests(committer, readers, clock, vault, activations),
        access_reviews=AccessReviews(committer, readers, clock, vault, policies),
        directory=Directory(committer, readers, clock),
        enrolment=enrolment,
        alerts=alerts,
        suspensions=Suspensions(committer, readers, clock),
        auditing=Auditing(committer, readers, clock, vault, log),
        reconciliation=reconciliation,
        histories=CustomerHistory(
            committer, readers, clock, vault, manifests.signer, settings.held_back_notice
        ),
        own_histories=OwnHistories(
            committer, readers, clock, vault, settings.retention_notice, manifests.signer
        ),
        disputes=Disputes(committer, clock, vault),
        hold_backs=HoldBacks(committer, readers, clock, vault),
        exports=Exports(committer, readers, clock, vault, manifests),
        evidence=Evidence(
            committer, readers, clock, vault, TileFolder(log_dir(settings)), manifests.signer
        ),
        identifiers=identifiers,
        indexing=Indexing(
            readers=readers,
            committer=committer,
            reads=reads,
            keyring=keyring,
            policies=policies,
            clock=clock,
            forms=forms,
        ),
        contacts=contacts,
        merges=Merges(
            readers=readers,
            committer=committer,
            policies=policies,
            keyring=keyring,
            clock=clock,
            notice=contacts.merges,
        ),
        redactions=Redactions(
            readers=readers,
            committer=committer,
            reads=reads,
            keyring=keyring,
            policies=policies,
            clock=clock,
        ),
        erasures=Erasures(committer, readers, clock),
        holds=Holds(committer, readers, clock),
        shredding=Shredding(committer, readers, clock, keys),
        retention=Retention(committer, readers, clock, vault, keyring, rules),
        restoring=Restoring(store, clock, keys, vault, log_dir(settings)),
        credentials=Credentials(committer, readers, clock),
        keyring=keyring,
        vault=vault,
        metrics=Metrics(),
        bundle=bundle,
        _writer=committer,
        _threads=readers,
        _publisher=Publisher(
            signer,
            log_dir=log_dir(settings),
            high_water=high_water(settings),
            right=None if store.places_at_commit else SqlPublishing(database_url(settings)),
            cosigner=outsiders.cosigner,
        ),
        _integrator=None if store.places_at_commit else Integrator(store),
        _reviews=AfterReviews(committer, readers, clock, alerts),
        _sources=counted,
        _reads=counter,
        _sinks=Sinks(
            declared,
            partial(
                Pusher,
                committer=committer,
                readers=readers,
                clock=clock,
                vault=vault,
                source=manifests.source,
                holder=writer.hex(),
            ),
        ),
        _outbox=outbox,
        _outsiders=outsiders,
        _certify=partial(
            publish_writer,
            log_dir(settings),
            manifests.signer,
            WriterKey(settings.origin, writer.hex(), receipts.public_key),
        ),
    )


def longest_act_s(settings: Settings) -> float:
    """Seconds after which nothing that has read a source can still be without its entry.

    A page of the index takes longest: its reads go to the source in turns, then there is one entry.
    """
    turns = math.ceil(PAGE / AT_ONCE)
    return (turns + 1) * settings.source_deadline_s + MAX_TRIES * (
        settings.admit_deadline_s + settings.read_deadline_s
    )


def open_bundle(folder: Path | None) -> Bundle:
    """Read and check a policy bundle; None: the one that ships.

    Raises:
        ConfigurationError: It cannot be read or used; names file and line.
    """
    root = resources.files("policies") / "bundles" / "default" if folder is None else folder
    try:
        files = {item.name: item.read_bytes() for item in root.iterdir() if item.is_file()}
        bundle = load_bundle(files)
    except OSError as error:
        raise ConfigurationError(f"policy bundle {folder}: {error.strerror}") from None
    except PolicyError as error:
        raise ConfigurationError(f"policy bundle: {error}") from None
    faults = catalogue_faults(bundle.catalogue)
    if faults:
        raise ConfigurationError("policy bundle: fields.toml: " + "; ".join(faults))
    return bundle


def open_clock(store: Store, settings: Settings) -> Clock:
    """The domain clock of this store: real time, unless a demo store keeps another rate.

    Raises:
        ConfigurationError: The store keeps an accelerated clock and this is no demo.
    """
    with store.read() as view:
        rate, floor = view.clock_rate(), max(view.newest_at(), view.newest_pending_at())
    if rate is None:
        now = wall_micros()
        rate = Rate(origin=now, wall_origin=now, rate=1.0)
    elif rate.rate != 1.0 and not settings.demo:
        raise ConfigurationError(
            "this store keeps an accelerated demo clock: use another data folder, or set "
            "RECORDGUARD_DEMO=1 on a loopback address"
        )
    return DomainClock(rate, floor=floor)
