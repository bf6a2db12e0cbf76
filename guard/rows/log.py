"""Questions to the log, and what is told of how it grows."""

from dataclasses import dataclass

from guard.clock import Micros
from guard.entries import EntryKind, SealedPart, StoredEntry
from guard.findings import Finding


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a writer that were never pending when later ones were: [first, before)."""

    writer: bytes
    first: int
    before: int


@dataclass(frozen=True, slots=True)
class PendingSpan:
    """Ids of the oldest and the newest pending entry; how many there are is no more than that."""

    oldest: int
    newest: int

    @property
    def most(self) -> int:
        """At most so many are pending: ids are given in order, and some are never used."""
        return self.newest - self.oldest + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrated:
    """What one turn of the integrator moved, and what it found missing."""

    count: int
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A page of the log, newest first; all that is named must hold. `before` is an index.

    `agent_id` is who asked or the AI agent that acted. `field` is a class of fields of which
    something was shown, masked or plain; with `is_clear`, plain. `regions` are those to answer
    from, none meaning all; `not_regions` are left out.
    """

    tenant: str
    ref: str | None = None
    agent_id: str | None = None
    team: str | None = None
    vendor: str | None = None
    purpose: str | None = None
    link: str | None = None
    field: str | None = None
    is_clear: bool = False
    regions: tuple[str, ...] = ()
    not_regions: tuple[str, ...] = ()
    kinds: tuple[EntryKind, ...] = ()
    since: Micros | None = None
    until: Micros | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer:
    """A page of stored entries; `following` is the next one's `before`, None at the end.

    With a `following`, a page of fewer entries than asked for (even none) ended at the bound on its
    work: nothing else was found in the stretch that it looked at.
    """

    entries: list[StoredEntry]
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCount:
    """How many entries there are, counted up to a bound; not exact: there may be more."""

    count: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartQuery:
    """Which event parts a replay reads: of these kinds, in [since, until), below index `size`."""

    tenant: str
    kinds: tuple[EntryKind, ...]
    size: int
    since: Micros
    until: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """A finding waiting to be applied, with its place in the worker's outbox."""

    position: int
    tenant: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterPart:
    """An entry of one writer: its number, its time, and its event part, still sealed."""

    seq: int
    at: Micros
    part: SealedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """How many entries of one agent there are on one day (its first microsecond), alike."""

    day: Micros
    kind: EntryKind
    purpose: str
    link: str
    outcome: str
    count: int
