"""What an entry of the ledger says, before it is sealed and after it is opened.

An entry has an *event part* (who, why, how it was decided; no customer) and one *subject part* per
customer (which customer, case, reason). Neither ever holds a field value. The byte formats, the
commitment and the sealing live in `guard.ledger.entry`; this module only names the content, so that
the store, the detectors' feed and the exports can share it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias

import msgspec

from guard.clock import Micros
from guard.principals import Principal

# One kind of list and one of object: more of either cannot be told apart when JSON is read.
BodyValue = str | int | float | bool | None | Sequence[str | int] | Mapping[str, str | int]

# The name under which the broker itself acts; no principal can have it.
SYSTEM = "system"


class EntryKind(IntEnum):
    """What happened. The number is in the leaf: never reused, never renumbered."""

    WRITER_OPEN = 1
    WRITER_CLOSE = 2
    GAP = 3
    RECONCILIATION = 4
    VIEW = 16
    REFUSAL = 17
    FAILED = 18
    REFUND = 19
    CLOSED = 20
    REVEAL = 21
    SEARCH = 22
    VERIFICATION = 23
    CONTACT = 24
    EXPORT = 25
    AUDIT_QUERY = 26
    OBSERVED = 27
    LISTED = 28
    DELIVERY = 29
    REDACTION = 30
    MERGE = 31
    CASE = 48
    ASSIGNMENT = 49
    WORK_LIST = 50
    GRANT = 51
    LATE_LINK = 52
    CUSTOMER = 53
    RELATION = 54
    TIE = 55
    SAMPLE = 56
    ALERT = 64
    LABEL = 65
    RESPONSE = 66
    SUSPENSION = 67
    CONTEST = 68
    BASELINE = 80
    BUNDLE = 81
    MODE = 82
    CLOCK = 83
    PRINCIPAL = 84
    SIGN_IN = 85
    CREDENTIAL = 86
    RECERTIFICATION = 87
    ERASURE = 96
    RETENTION = 97
    HOLD = 98
    HOLD_BACK = 99
    HISTORY = 100
    DISPUTE = 101
    RESTORED = 102
    ERASURE_REQUEST = 112


# Every act at which something of a customer is shown, confirmed or used, or was meant to be.
LOOKS = (
    EntryKind.VIEW,
    EntryKind.REVEAL,
    EntryKind.LISTED,
    EntryKind.SEARCH,
    EntryKind.VERIFICATION,
    EntryKind.CONTACT,
    EntryKind.REFUSAL,
    EntryKind.FAILED,
)


class Outcome(StrEnum):
    """How a request ended."""

    PERMITTED = "permitted"
    REFUSED = "refused"
    FAILED = "failed"


class Charge(msgspec.Struct, frozen=True, array_like=True):
    """What one entry took from one budget key; `amount` 0 says that it was counted and free."""

    key: str
    measure: str
    amount: int


class EventPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of an entry without the customer. Sealed under an epoch key.

    `act` is what was asked, for entries that a policy decided. `classes` maps each shown field
    class to the form it took. `walk` is the bucketed numeric and alphabetic distance of this source
    key to the agent's previous ones (-1: unknown). `would` is what enforcing would have done where
    the mode did less. `body` holds what is particular to a kind, by documented name.
    """

    v: int = 1
    at: Micros
    kind: str
    tenant: str
    agent: str
    region: str = ""
    vendor: str = ""
    site: str = ""
    team: str = ""
    line: tuple[str, ...] = ()
    actor: str = ""
    client: str = ""
    role: str = ""
    session: str = ""
    device: str = ""
    act: str = "view"
    purpose: str = ""
    link: str = ""
    tier: str = ""
    classes: dict[str, str] = {}
    n_fields: int = 0
    n_sensitive: int = 0
    walk: tuple[int, int] = (-1, -1)
    facts_id: str = ""
    bundle: str = ""
    mode: str = ""
    would: str = ""
    outcome: str = ""
    reasons: tuple[str, ...] = ()
    determined_by: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    body: dict[str, BodyValue] = {}

    @property
    def shown(self) -> str:
        """The shown field classes with their forms as words, sorted, to be searched by."""
        return " ".join([f"{cls}={form}" for cls, form in sorted(self.classes.items())])


def event_by(principal: Principal, kind: EntryKind, at: Micros) -> EventPart:
    """The event part that `principal` causes: its whole place in the organisation is filled in."""
    return EventPart(
        at=at,
        kind=kind.name.lower(),
        tenant=principal.tenant,
        agent=principal.id,
        region=principal.region,
        vendor=principal.vendor,
        site=principal.site,
        team=principal.team,
        line=principal.line,
        actor=principal.actor or "",
        client=principal.client,
        role=principal.role.value,
        session=principal.session,
    )


def system_event(tenant: str, kind: EntryKind, at: Micros, body: dict[str, BodyValue]) -> EventPart:
    """The event part of what the broker does by itself."""
    return EventPart(
        at=at, kind=kind.name.lower(), tenant=tenant, agent=SYSTEM, role=SYSTEM, body=body
    )


class SubjectPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of an entry about one customer. Sealed under that customer's key, erasable."""

    v: int = 1
    customer: str
    case: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry still to be appended."""

    kind: EntryKind
    event: EventPart
    subjects: tuple[SubjectPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """An entry as the store keeps it: a leaf for the tree, and the sealed detail beside it.

    `event` stays beside its sealed bytes in memory only, so that the store can fill the clear
    search columns; `refs` are the subjects in inner-leaf order.
    """

    entry_id: bytes
    kind: EntryKind
    writer: bytes
    writer_seq: int
    tag: bytes
    leaf: bytes
    leaf_hash: bytes
    event: EventPart
    epoch: str
    sealed_event: bytes
    refs: tuple[str, ...]
    sealed_subjects: tuple[bytes, ...]


# What the store keeps of an event part in the clear, to search by; an opened entry is checked
# against it, or whoever writes the database could hide views from a search.
SEARCHED = (
    "at", "tenant", "region", "vendor", "site", "team", "agent", "actor", "purpose", "link",
    "mode", "would", "outcome", "shown",
)  # fmt: skip


# The `index` of an entry that is durable and has no place in the tree yet.
UNPLACED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry read back: the leaf and the still sealed parts (None: erased).

    `searched` holds the clear columns by name, with `kind` as a number; None where there are none.
    Its `shown` is None for an entry from before that column was kept.
    """

    index: int
    leaf: bytes
    leaf_hash: bytes
    epoch: str
    sealed_event: bytes | None
    refs: tuple[str, ...]
    sealed_subjects: tuple[bytes | None, ...]
    searched: Mapping[str, str | int | None] | None = None


# The event part of an entry, still sealed (None: gone), and what opens it, as a row of the store:
# position, entry id, kind, epoch, sealed bytes. A million of them are read at a stretch, so none is
# made into more than it is.
SealedPart: TypeAlias = tuple[int, bytes, int, str, bytes | None]

# A subject part, still sealed, as a row of the store: position of its entry, reference, bytes.
SealedSubject: TypeAlias = tuple[int, str, bytes | None]

# An entry as a mirror keeps it, as a row of the store: position, leaf, position again where the
# parts are the asking tenant's (None: they are not), sealed event part.
RawEntry: TypeAlias = tuple[int, bytes, int | None, bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEntry:
    """An entry as the auditor and the worker read it; an erased subject part is None."""

    index: int
    entry_id: str
    kind: EntryKind
    event: EventPart
    refs: tuple[str, ...]
    subjects: tuple[SubjectPart | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the caller holds in its hand: enough to prove later that the entry was promised.

    `index` is None where the entry is durable before the tree gives it a place: ask by `entry_id`.
    `signature` is Ed25519 by the writer's key over `leaf_hash`; the key is in the `WRITER_OPEN`
    entry of `writer`.
    """

    entry_id: str
    index: int | None
    writer: str
    writer_seq: int
    leaf_hash: str
    signature: str
