"""Rows of erasures, legal holds, hold-backs and disputes."""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros
from guard.entries import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBackRow:
    """Entries that a history leaves out until `ends_at`, because an investigation runs.

    Concerned are entries in [since, until) by `agent_id` (empty: whoever it was) about `ref`
    (empty: whichever customer). It holds nothing until `approved_by` is set. `ended_at` is set when
    it is ended before its time.
    """

    id: str
    tenant: str
    agent_id: str
    ref: str
    since: Micros
    until: Micros
    reason: str
    proposed_by: str
    proposed_at: Micros
    ends_at: Micros
    approved_by: str | None = None
    approved_at: Micros | None = None
    ended_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRow:
    """A customer's word that an entry of their history was no contact of theirs.

    `of` is the entry that is disputed, `id` the entry of the dispute.
    """

    tenant: str
    of: str
    id: str
    ref: str
    at: Micros


class ErasureState(StrEnum):
    """Where forgetting a customer stands."""

    PROPOSED = "proposed"
    HELD = "held"
    RECORDED = "recorded"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRow:
    """A customer who is to be, or was, forgotten.

    It is in the log and the customer unknown from `RECORDED` on (`key_id` and `entry_id` are then
    set); its key is destroyed and its parts are cut down to their hashes once it is `DONE`.
    `bucket` is the one that its key was wrapped under. `is_noted` is false for one that a restore
    has replayed and that no `RESTORED` entry names yet.
    """

    id: str
    tenant: str
    ref: str
    ground: str
    state: ErasureState
    proposed_by: str
    proposed_at: Micros
    bucket: str
    key_id: str
    approved_by: str | None = None
    approved_at: Micros | None = None
    entry_id: str | None = None
    done_at: Micros | None = None
    is_noted: bool = True


class HoldScope(StrEnum):
    """What a legal hold keeps."""

    CUSTOMER = "customer"
    AGENT = "agent"
    CASE = "case"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """A legal hold: nothing that it covers is forgotten or runs out until two people lift it.

    `value` names the customer, agent or case; `ref` is the customer, also of a case. Entries in
    [since, until) are covered (None: without an end on that side). It is in force until `lifted_by`
    is set; `lift_by` is who proposed that.
    """

    id: str
    tenant: str
    scope: HoldScope
    value: str
    ref: str | None
    since: Micros | None
    until: Micros | None
    ground: str
    matter: str
    set_by: str
    set_at: Micros
    lift_by: str | None = None
    lift_at: Micros | None = None
    lifted_by: str | None = None
    lifted_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueQuery:
    """Which details have run out: of these kinds, before `before`, behind index `after`."""

    tenant: str
    kinds: tuple[EntryKind, ...]
    before: Micros
    after: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDetail:
    """An entry whose detail has run out, and whom it is about."""

    index: int
    at: Micros
    agent: str
    actor: str
    refs: tuple[str, ...]
