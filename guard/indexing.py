"""Filling the blind index from the sources, for customers whose enrolment named no identifiers.

All known customers are walked in keyset pages, no faster than the source likes. Of each only the
identifying fields are fetched; what they give replaces what the index held of those kinds, so a
changed e-mail address stops finding its customer. Kinds that the source does not hold are left to
enrolment. A walk may stop at any page and go on behind it.

Reading identifiers in bulk is what a thief would do, so each page is one entry that names whose
records were read, at most `PAGE` of them: source reads stay reconcilable with the log. Entries and
reports hold counts, never values.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from guard.clock import Clock, Micros, monotonic
from guard.entries import EntryKind, NewEntry, SubjectPart, system_event
from guard.errors import InvalidRequestError, KeyUnavailableError, SourceError
from guard.identifiers import KINDS, blinded, counts_by_kind
from guard.in_force import Policies
from guard.masking.identifying import identifying, identifying_fields
from guard.ports import Committer, Readers, Transaction
from guard.rows import IdentifierRow, RawRecord, SubjectRow
from guard.source_reads import noted, noting
from guard.system_reads import SystemReads
from guard.vault.identifiers import NormalForms
from guard.vault.keyring import Keyring
from policies.catalogue import Catalogue

# Customers of one page, and so subjects of one entry: an entry that names a hundred stays readable.
PAGE = 100
# Reads at a time: enough for a SQL source to share its statements, few enough for an HTTP API.
AT_ONCE = 8
DEFAULT_RATE = 100.0
# A page of so many failures and nothing else is a source that is down, not some broken records.
DEAD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """What became of one page: counts only. `after` is where the next one begins."""

    after: str
    read: int
    indexed: Mapping[str, int]
    gone: int = 0
    erased: int = 0
    unusable: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Found:
    """What one page's reads gave: the new rows by customer and the kinds that they replace."""

    rows: dict[str, tuple[IdentifierRow, ...]] = field(default_factory=dict)
    kinds: dict[str, frozenset[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class Indexing:
    """Walks customers and keeps the index of what they are found by."""

    def __init__(  # noqa: PLR0913 - the parts of a walk, each by name
        self,
        *,
        readers: Readers,
        committer: Committer,
        reads: SystemReads,
        keyring: Keyring,
        policies: Policies,
        clock: Clock,
        forms: NormalForms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Put a walk together; `sleep` is how it waits for its pace."""
        self._readers, self._committer, self._reads = readers, committer, reads
        self._keyring, self._policies, self._clock = keyring, policies, clock
        self._forms, self._sleep = forms, sleep

    async def walk(
        self,
        tenant: str,
        *,
        after: str = "",
        since: Micros | None = None,
        rate: float = DEFAULT_RATE,
    ) -> AsyncIterator[IndexPage]:
        """Index page by page behind the reference `after`, at most `rate` customers a second.

        With `since`, only customers that an entry has named since then, and those of whom nothing
        is indexed. Each page is durable when it is given out.

        Raises:
            SourceError: Nothing of a page could be read; what came before it is kept.
            StoreUnavailableError: The index cannot be read or written.
        """
        while page := await self._page(tenant, after, since):
            begun = monotonic()
            with noting():
                done = await self._index(tenant, page)
            if done.failed == done.read >= DEAD:
                raise SourceError("the source answers nothing, see it and start again from here")
            yield done
            after = done.after
            await self._sleep(max(0.0, len(page) / rate - (monotonic() - begun)))

    async def _page(self, tenant: str, after: str, since: Micros | None) -> list[SubjectRow]:
        return await self._readers.read(
            lambda view: view.subjects_after(tenant, after, PAGE, since)
        )

    async def _index(self, tenant: str, page: Sequence[SubjectRow]) -> IndexPage:
        catalogue = self._policies.of(tenant).engine.bundle.catalogue
        asked = [subject for subject in page if subject.wrapped_key is not None]
        found = _Found()
        for subject in page:
            if subject.wrapped_key is None:
                self._drop(found, subject, "erased")
        turns = asyncio.Semaphore(AT_ONCE)
        fields = identifying_fields(catalogue)
        try:
            async with asyncio.TaskGroup() as group:
                for subject in asked:
                    group.create_task(self._take(found, subject, (catalogue, fields), turns))
        except BaseException:
            # What was asked of the source is in the log, also when the walk is broken off.
            await asyncio.shield(self._keep(tenant, page, asked, _Found(counts=found.counts)))
            raise
        return await self._keep(tenant, page, asked, found)

    async def _take(
        self,
        found: _Found,
        subject: SubjectRow,
        asked: tuple[Catalogue, frozenset[str]],
        turns: asyncio.Semaphore,
    ) -> None:
        catalogue, fields = asked
        try:
            async with turns:
                raw = await self._reads.read(subject, fields)
        except (SourceError, KeyUnavailableError):
            found.counts["failed"] += 1
            return
        if raw is None:
            self._drop(found, subject, "gone")
        else:
            self._blind(found, subject, raw, catalogue)

    def _blind(
        self, found: _Found, subject: SubjectRow, raw: RawRecord, catalogue: Catalogue
    ) -> None:
        tenant, ref = subject.tenant, subject.ref
        held = identifying(raw, catalogue)
        rows: set[IdentifierRow] = set()
        for kind, values in held.items():
            for value in values:
                try:
                    blind = blinded(self._keyring, self._forms, tenant, kind, value)
                except InvalidRequestError:
                    found.counts["unusable"] += 1
                else:
                    rows.add(IdentifierRow(tenant=tenant, kind=kind, blind=blind, ref=ref))
        found.rows[ref], found.kinds[ref] = tuple(rows), frozenset(held)

    @staticmethod
    def _drop(found: _Found, subject: SubjectRow, why: str) -> None:
        found.counts[why] += 1
        found.rows[subject.ref], found.kinds[subject.ref] = (), KINDS

    async def _keep(
        self, tenant: str, page: Sequence[SubjectRow], asked: Sequence[SubjectRow], found: _Found
    ) -> IndexPage:
        """Write the page's rows and its entry together."""
        counts = counts_by_kind(row for rows in found.rows.values() for row in rows)
        body = {name: found.counts[name] for name in ("gone", "erased", "unusable", "failed")}
        event = system_event(
            tenant,
            EntryKind.CUSTOMER,
            self._clock.now(),
            {
                "index": True,
                "read": len(asked),
                "identifiers": counts,
                **body,
                **({"reads": reads} if (reads := noted()) else {}),
            },
        )
        subjects = tuple(SubjectPart(customer=subject.ref) for subject in asked)

        def work(tx: Transaction) -> None:
            for ref, rows in found.rows.items():
                kinds = found.kinds[ref]
                held = {r for r in tx.rows.identifiers_of(tenant, ref) if r.kind in kinds}
                if held != set(rows):
                    tx.rows.put_identifiers(tenant, ref, kinds, rows)
            tx.record(NewEntry(kind=EntryKind.CUSTOMER, event=event, subjects=subjects))

        await self._committer.run(work)
        return IndexPage(after=page[-1].ref, read=len(asked), indexed=counts, **body)
