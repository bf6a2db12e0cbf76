"""Reads against entries, from the log alone: one writer's, or everybody's.

A writer's last count says how many numbers it had taken, which of them no entry named, and how far
it might go before the next count. What its entries named since then is read; what is left has no
entry. Of a writer that is at work, that includes what is under way right now.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import msgspec

from guard.clock import Micros, to_rfc3339
from guard.entries import SYSTEM, EntryKind
from guard.errors import KeyUnavailableError, ProofError
from guard.ledger.entry import decode_leaf, open_parts, tenant_of
from guard.ports import DetailVault, ReadView
from guard.rows import LogQuery, WriterPart
from guard.source_reads import ALLOWANCE

# Kinds whose entries may account for reads.
ACCOUNTING = (
    EntryKind.VIEW,
    EntryKind.REFUSAL,
    EntryKind.FAILED,
    EntryKind.REVEAL,
    EntryKind.LISTED,
    EntryKind.VERIFICATION,
    EntryKind.CONTACT,
    EntryKind.REDACTION,
    EntryKind.CUSTOMER,
)
_LIVES = (EntryKind.WRITER_OPEN, EntryKind.WRITER_CLOSE)
# Entries read at a time.
CHUNK = 2_000


class _Numbers(msgspec.Struct, frozen=True, kw_only=True):
    reads: list[int] = []


class _Accounting(msgspec.Struct, frozen=True, kw_only=True):
    body: _Numbers = _Numbers()


class _Count(msgspec.Struct, frozen=True, kw_only=True):
    """A writer's count of itself; as it stands before its first one."""

    reads: int = 0
    lost: int = 0
    open: list[int] = []
    upto: int = ALLOWANCE
    seq: int = -1


class _Counting(msgspec.Struct, frozen=True, kw_only=True):
    body: _Count = _Count()


_numbers = msgspec.json.Decoder(_Accounting).decode
_counts = msgspec.json.Decoder(_Counting).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterReads:
    """One writer's reads, as the log alone tells them.

    `reads` were surely made and `entries` of them are named by an entry. `bound` is the most that
    can lack one: more than the difference only for a writer without a last entry, which may have
    read on after its last count, at `since`. `tenants` are those whose entries account for reads.
    """

    writer: str
    opened_at: Micros
    is_closed: bool
    reads: int
    entries: int
    bound: int
    since: Micros
    tenants: tuple[str, ...] = ()

    @property
    def difference(self) -> int:
        """Reads without an entry."""
        return self.reads - self.entries

    @property
    def in_words(self) -> str:
        """What may lack an entry, as a sentence."""
        if self.bound <= 0:
            return "every read has its entry"
        return f"at most {self.bound} reads since {to_rfc3339(self.since)}"


def reconcile(
    view: ReadView,
    vault: DetailVault,
    *,
    since: Micros | None = None,
    unclosed_but: frozenset[bytes] | None = None,
) -> list[WriterReads]:
    """Lay the reads of every writer that opened since `since` against its entries, oldest first.

    With `unclosed_but`, only those of writers without a last entry that are not among these.
    """
    opened, closed = _lives(view, since)
    return [
        _of_writer(view, vault, writer, at, is_closed=writer in closed)
        for writer, at in sorted(opened.items(), key=lambda item: (item[1], item[0]))
        if unclosed_but is None or writer not in closed | unclosed_but
    ]


def named(parts: Iterable[WriterPart], vault: DetailVault) -> Iterator[tuple[int, str]]:
    """The numbers that these entries account for, each with the tenant of its entry."""
    for one in parts:
        tenant = tenant_of(one.part[3])
        for number in _numbers(_opened(one, vault) or b"{}").body.reads:
            yield number, tenant


def _opened(one: WriterPart, vault: DetailVault) -> bytes:
    """The event part of an entry; empty if it was erased or does not hold.

    Whoever damages an entry must not be able to stop the count with it: its read then lacks an
    entry, which is told.
    """
    try:
        ((_, _, plain),) = open_parts([one.part], tenant_of(one.part[3]), vault)
    except (ProofError, KeyUnavailableError):
        return b""
    return plain


def _lives(view: ReadView, since: Micros | None) -> tuple[dict[bytes, Micros], frozenset[bytes]]:
    """When each writer opened, and which have closed."""
    opened: dict[bytes, Micros] = {}
    closed: set[bytes] = set()
    query = LogQuery(tenant=SYSTEM, kinds=_LIVES, since=since, limit=CHUNK)
    while page := view.search(query):
        for stored in page:
            leaf = decode_leaf(stored.leaf)
            if leaf.kind is EntryKind.WRITER_OPEN:
                opened[leaf.writer] = leaf.at
            else:
                closed.add(leaf.writer)
        query = replace(query, before=page[-1].index)
    return opened, frozenset(closed)


def _of_writer(
    view: ReadView, vault: DetailVault, writer: bytes, opened_at: Micros, *, is_closed: bool
) -> WriterReads:
    found = view.last_writer_part(writer, (EntryKind.RECONCILIATION,))
    count = _Count() if found is None else _counts(_opened(found, vault) or b"{}").body
    last = view.last_writer_part(writer, (EntryKind.WRITER_CLOSE,)) if is_closed else None
    total = count.reads
    if last is not None:
        total = max(total, _counts(_opened(last, vault) or b"{}").body.reads)
    seen: set[int] = set()
    tenants: set[str] = set()
    after = count.seq
    while parts := view.writer_parts(writer, ACCOUNTING, after, CHUNK):
        for number, tenant in named(parts, vault):
            seen.add(number)
            tenants.add(tenant)
        after = parts[-1].seq
    total = max(total, max(seen, default=-1) + 1)
    missing = {*count.open, *range(count.reads, total)} - seen
    lacking = count.lost + len(missing)
    return WriterReads(
        writer=writer.hex(),
        opened_at=opened_at,
        is_closed=is_closed,
        reads=total,
        entries=total - lacking,
        bound=lacking if is_closed else lacking + max(0, count.upto - total),
        since=opened_at if found is None else found.at,
        tenants=tuple(sorted(tenants)),
    )
