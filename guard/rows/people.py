"""Rows of people, customers and what they sign in with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from guard.clock import Micros
from guard.principals import LogScope, Shift
from policies.model import ActorKind, Desk, Risk, Role, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalRow:
    """Somebody in the directory. `line`: manager ids from the direct one upwards."""

    id: str
    tenant: str
    region: str
    vendor: str
    site: str
    team: str
    line: tuple[str, ...]
    role: Role
    kind: ActorKind
    shift: Shift | None
    is_active: bool = True
    desk: Desk = Desk.FRONT_LINE
    log_scope: LogScope = LogScope.TENANT


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """A customer known to the broker. `ref` is the random opaque reference that the API shows.

    `key_blind` is a blind index of (tenant, source, source key); `sealed_key` holds the source key
    under the subject's own key; `bucket` and `wrapped_key` give that key to the vault (None once
    erased); `next_n` is the number of entries about this subject so far.
    """

    ref: str
    tenant: str
    region: str
    source: str
    key_blind: bytes
    sealed_key: bytes | None
    bucket: str
    wrapped_key: bytes | None
    next_n: int
    tier: Tier
    is_decoy: bool


def living(known: Mapping[str, SubjectRow], refs: Iterable[str]) -> list[str]:
    """Who of these a new entry can name, sorted: the erased have no key to be named under."""
    return sorted(ref for ref in refs if known[ref].wrapped_key is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRow:
    """A blind index of one identifier of one customer: `kind` email, phone, account...

    `blind` is a keyed hash of the normalised value; the value itself is nowhere.
    """

    tenant: str
    kind: str
    blind: bytes
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """A scoped key of a tool. `digest` is the SHA-256 of its random secret."""

    id: str
    tenant: str
    client: str
    digest: bytes
    scopes: frozenset[str]
    may_assert: bool
    expires_at: Micros | None
    revoked_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A console session; `digest` is the SHA-256 of the cookie. Times are real, not domain.

    `mfa_at`, of the domain clock, is when a second factor was shown to whoever vouched for the
    sign-in; None: nobody has.
    """

    digest: bytes
    tenant: str
    principal_id: str
    csrf: str
    created_at: Micros
    seen_at: Micros
    mfa_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPrincipal:
    """A budget key's row, locked: whether it is suspended, until when, and its risk."""

    key: str
    suspended_until: Micros | None
    risk: Risk
