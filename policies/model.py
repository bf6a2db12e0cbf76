"""What a policy is asked and what it answers.

Everything here is a closed, frozen value: a `Facts` holds derived enums and booleans only (never an
id, a free number or a customer's value), so that equal facts always give the equal decision and a
decision can be memoised, stored as `facts_id` and replayed for ever.

The room `policies` is pure. It reads no clock, disk or network; who gathers the facts is
`guard.broker`, who enforces the answer is `guard.masking` and `guard.admission`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum


class Form(IntEnum):
    """How a field may be shown; lower is more protective, and the lowest granted form wins."""

    HIDE = 0
    REDACT = 1
    MASK = 2
    PLAIN = 3


class Role(StrEnum):
    """What somebody is employed to do. Every role is logged, counted and detected alike."""

    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SERVICE = "service"


class Desk(StrEnum):
    """Where somebody works: desks see different customers and different fields."""

    FRONT_LINE = "front_line"
    SENIOR = "senior"
    QUALITY = "quality"
    OUTREACH = "outreach"
    FRAUD = "fraud"
    VIP = "vip"


class ActorKind(StrEnum):
    """Whether a person, an AI agent (for a person) or a service asks."""

    HUMAN = "human"
    AI = "ai"
    SERVICE = "service"


class Purpose(StrEnum):
    """What a view is for. The broker checks what the caller says; an unknown purpose is refused."""

    SUPPORT_CASE = "support_case"
    OUTREACH = "outreach"
    QUALITY_REVIEW = "quality_review"
    AI_SESSION = "ai_session"
    INVESTIGATION = "investigation"
    FRAUD_REVIEW = "fraud_review"
    ONBOARDING = "onboarding"
    BREAK_GLASS = "break_glass"


class Act(StrEnum):
    """What is asked of the broker: each act is admitted by the policy and charged by itself."""

    VIEW = "view"
    REVEAL = "reveal"
    LIST = "list"
    SEARCH = "search"
    VERIFY = "verify"
    CONTACT = "contact"


class Link(StrEnum):
    """What explains a view, as found by the broker in its own tables (not as claimed)."""

    OWNER = "owner"
    ESCALATION = "escalation"
    TRANSFER = "transfer"
    QA = "qa"
    CAMPAIGN = "campaign"
    QUEUE = "queue"
    BREAK_GLASS = "break_glass"
    TAKEN = "taken"
    CLAIMED = "claimed"
    RELATED = "related"
    WAITING = "waiting"
    PENDING = "pending"
    STALE = "stale"
    SELF_OPENED = "self_opened"
    NONE = "none"


class Tier(StrEnum):
    """How a customer's record is protected beyond the ordinary."""

    STANDARD = "standard"
    VIP = "vip"
    INTERNAL = "internal"


class Tie(StrEnum):
    """What binds the person who asks to the customer in private life."""

    NONE = "none"
    SELF = "self"
    FAMILY = "family"
    COLLEAGUE = "colleague"


class Risk(StrEnum):
    """How far the response ladder has gone for this principal, from none to most."""

    NONE = "none"
    NOTIFIED = "notified"
    MASK_MORE = "mask_more"
    EXPLAINED_ONLY = "explained_only"


class Mode(StrEnum):
    """How much of a decision is carried out: nothing, the masks, or all of it."""

    OBSERVE = "observe"
    MASK = "mask"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a policy may know about one request. Closed: enums and booleans only."""

    role: Role
    desk: Desk
    actor: ActorKind
    purpose: Purpose
    link: Link
    tier: Tier
    tie: Tie
    risk: Risk
    on_shift: bool
    same_tenant: bool
    same_region: bool
    fresh_mfa: bool
    reason_given: bool
    customer_present: bool

    def canonical(self) -> bytes:
        """One byte string per set of facts: `name=value` lines in field order."""
        lines = (f"{f.name}={_plain(getattr(self, f.name))}" for f in fields(self))
        return "\n".join(lines).encode()

    @property
    def facts_id(self) -> str:
        """First 16 hex digits of the SHA-256 of `canonical()`: the name an entry stores."""
        return hashlib.sha256(self.canonical()).hexdigest()[:16]

    def as_dict(self) -> dict[str, str | bool]:
        """The facts as JSON-ready values, the form that is stored beside `facts_id`."""
        return {f.name: _typed(getattr(self, f.name)) for f in fields(self)}


def _typed(value: StrEnum | bool) -> str | bool:  # noqa: FBT001 - as `_plain`
    return value if isinstance(value, bool) else value.value


def _plain(value: StrEnum | bool) -> str:  # noqa: FBT001 - a fact is an enum or a boolean
    return ("true" if value else "false") if isinstance(value, bool) else value.value


@dataclass(frozen=True, slots=True)
class Permit:
    """The view may go on: the form of every field class, and what the view must carry along.

    `obligations` are short tokens from the policies' annotations (`notify`, `step_up`...).
    `explanations` gives, per field class, the human sentence for a form below PLAIN.
    """

    forms: Mapping[str, Form]
    explanations: Mapping[str, str]
    obligations: tuple[str, ...]
    determined_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forbid:
    """The view is refused: sentences for the caller, and the ids of the policies that said so."""

    reasons: tuple[str, ...]
    determined_by: tuple[str, ...]


Decision = Permit | Forbid


class Measure(StrEnum):
    """What a budget counts."""

    VIEWS = "views"
    CUSTOMERS = "customers"
    REVEALS = "reveals"
    LISTINGS = "listings"
    SEARCHES = "searches"
    VERIFICATIONS = "verifications"
    CONTACTS = "contacts"
    REDACTIONS = "redactions"


class BudgetKey(StrEnum):
    """Whose budget it is: of who asks, of the customer asked about, or of a work list."""

    AGENT = "agent"
    ACTOR = "actor"
    CUSTOMER = "customer"
    WORK_LIST = "work_list"


class Window(StrEnum):
    """Over which time: the clock hour in UTC, or the rolling 24 hours (see `docs/quotas.md`)."""

    HOUR = "hour"
    DAY = "rolling_24h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One limit of `quotas.toml`: at most `limit` of `measure` per `key` in `window`.

    `kind` and `purpose` narrow whom it binds (None: everybody); `by_risk` replaces the limit while
    the principal stands at that rung of the response ladder.
    """

    name: str
    measure: Measure
    key: BudgetKey
    window: Window
    limit: int
    kind: ActorKind | None
    purpose: Purpose | None
    by_risk: Mapping[Risk, int]
