"""What a credential may be used for, and what each role may do at most.

Grammar: `thing:action`, both nouns and verbs of the API's paths. A call needs the scope in the
credential AND in the role; the services check roles again where a rule is finer than a scope.
"""

from collections.abc import Iterable
from enum import StrEnum

from policies.model import Role


class Scope(StrEnum):
    """One kind of call."""

    ACCESS_REVIEWS_READ = "access-reviews:read"
    ACCESS_REVIEWS_WRITE = "access-reviews:write"
    ALERTS_READ = "alerts:read"
    ALERTS_REVIEW = "alerts:review"
    API_KEYS_WRITE = "api-keys:write"
    BREAK_GLASS_READ = "break-glass:read"
    BREAK_GLASS_REVIEW = "break-glass:review"
    BREAK_GLASS_WRITE = "break-glass:write"
    CASES_WRITE = "cases:write"
    CONTACTS_WRITE = "contacts:write"
    CUSTOMERS_WRITE = "customers:write"
    DIRECTORY_WRITE = "directory:write"
    DISPUTES_WRITE = "disputes:write"
    ERASURES_READ = "erasures:read"
    ERASURES_WRITE = "erasures:write"
    EXPORTS_WRITE = "exports:write"
    HISTORY_READ = "history:read"
    HOLD_BACKS_READ = "hold-backs:read"
    HOLD_BACKS_WRITE = "hold-backs:write"
    HOLDS_READ = "holds:read"
    HOLDS_WRITE = "holds:write"
    LOG_READ = "log:read"
    LOG_VERIFY = "log:verify"
    MERGES_WRITE = "merges:write"
    MODES_READ = "modes:read"
    MODES_WRITE = "modes:write"
    NOTICES_READ = "notices:read"
    NOTICES_CONTEST = "notices:contest"
    OWN_HISTORY_READ = "own-history:read"
    PRESENCE_CLAIM = "presence:claim"
    PRESENCE_WRITE = "presence:write"
    POLICIES_APPROVE = "policies:approve"
    POLICIES_READ = "policies:read"
    POLICIES_WRITE = "policies:write"
    QUOTA_READ = "quota:read"
    REDACTIONS_WRITE = "redactions:write"
    RELATIONS_WRITE = "relations:write"
    SAMPLES_WRITE = "samples:write"
    REVEALS_WRITE = "reveals:write"
    SEARCHES_WRITE = "searches:write"
    SUSPENSIONS_WRITE = "suspensions:write"
    TIES_WRITE = "ties:write"
    VERIFICATIONS_WRITE = "verifications:write"
    VIEWS_WRITE = "views:write"
    WORK_LISTS_APPROVE = "work-lists:approve"
    WORK_LISTS_WRITE = "work-lists:write"


ALL = frozenset(scope.value for scope in Scope)
# What is about oneself alone: no AI agent and no tool reads it in one's place.
_PRIVATE = frozenset({Scope.OWN_HISTORY_READ})
# Rights that come with being logged at all: one's own quota, one's own notices and history,
# checking the log.
OWN = _PRIVATE | {
    Scope.QUOTA_READ,
    Scope.NOTICES_READ,
    Scope.NOTICES_CONTEST,
    Scope.LOG_VERIFY,
}
# The acts of a desk; each is decided, charged and logged by itself.
_DESK = frozenset(
    {
        Scope.VIEWS_WRITE,
        Scope.REVEALS_WRITE,
        Scope.SEARCHES_WRITE,
        Scope.VERIFICATIONS_WRITE,
        Scope.CONTACTS_WRITE,
    }
)
# What is for people at a desk only: opening a customer without a case, making one of two.
_PEOPLE = frozenset({Scope.BREAK_GLASS_WRITE, Scope.PRESENCE_CLAIM, Scope.MERGES_WRITE})
_GLASS_REVIEW = frozenset({Scope.BREAK_GLASS_READ, Scope.BREAK_GLASS_REVIEW})
_LEAD = (
    OWN
    | _DESK
    | {Scope.MERGES_WRITE, Scope.WORK_LISTS_WRITE, Scope.WORK_LISTS_APPROVE}
    | _PEOPLE
    | _GLASS_REVIEW
)

_FORGET_READ = frozenset({Scope.ERASURES_READ, Scope.HOLDS_READ})
_FORGET = _FORGET_READ | {Scope.ERASURES_WRITE, Scope.HOLDS_WRITE}
_POLICY = {
    Scope.POLICIES_READ,
    Scope.POLICIES_WRITE,
    Scope.POLICIES_APPROVE,
    Scope.ACCESS_REVIEWS_READ,
    Scope.ACCESS_REVIEWS_WRITE,
}

BY_ROLE: dict[Role, frozenset[Scope]] = {
    Role.AGENT: OWN | _DESK | _PEOPLE,
    Role.LEAD: _LEAD,
    Role.MANAGER: _LEAD | {Scope.MODES_READ, Scope.POLICIES_READ, Scope.SAMPLES_WRITE},
    Role.ANALYST: OWN
    | _GLASS_REVIEW
    | _FORGET
    | _POLICY
    | {
        Scope.VIEWS_WRITE,
        Scope.ALERTS_READ,
        Scope.ALERTS_REVIEW,
        Scope.SUSPENSIONS_WRITE,
        Scope.HOLD_BACKS_READ,
        Scope.HOLD_BACKS_WRITE,
        Scope.LOG_READ,
        Scope.MODES_READ,
        Scope.MODES_WRITE,
    },
    Role.AUDITOR: OWN
    | _FORGET_READ
    | {
        Scope.ALERTS_READ,
        Scope.BREAK_GLASS_READ,
        Scope.HOLD_BACKS_READ,
        Scope.LOG_READ,
        Scope.EXPORTS_WRITE,
        Scope.MODES_READ,
        Scope.POLICIES_READ,
        Scope.ACCESS_REVIEWS_READ,
    },
    Role.ADMIN: OWN
    | _GLASS_REVIEW
    | _FORGET
    | _POLICY
    | {
        Scope.VIEWS_WRITE,
        Scope.ALERTS_READ,
        Scope.ALERTS_REVIEW,
        Scope.SUSPENSIONS_WRITE,
        Scope.HOLD_BACKS_READ,
        Scope.HOLD_BACKS_WRITE,
        Scope.MODES_READ,
        Scope.MODES_WRITE,
        Scope.WORK_LISTS_WRITE,
        Scope.WORK_LISTS_APPROVE,
        Scope.API_KEYS_WRITE,
        Scope.CASES_WRITE,
        Scope.CUSTOMERS_WRITE,
        Scope.DIRECTORY_WRITE,
        Scope.RELATIONS_WRITE,
        Scope.SAMPLES_WRITE,
        Scope.TIES_WRITE,
    },
    Role.SERVICE: OWN
    | _DESK
    | {
        Scope.CASES_WRITE,
        Scope.CUSTOMERS_WRITE,
        Scope.DIRECTORY_WRITE,
        Scope.RELATIONS_WRITE,
        Scope.SAMPLES_WRITE,
        Scope.TIES_WRITE,
        Scope.PRESENCE_WRITE,
        Scope.WORK_LISTS_WRITE,
        Scope.REDACTIONS_WRITE,
        Scope.HISTORY_READ,
        Scope.DISPUTES_WRITE,
    },
}
# What a person may hand on to an AI agent that acts for them: looking, and nothing that decides.
DELEGABLE = (OWN - _PRIVATE) | _DESK
# What a tool may do in the name of an agent that it asserts: the agent's desk work.
ASSERTABLE = (OWN - _PRIVATE) | _DESK | _PEOPLE
# What is left to somebody suspended: their own page, and acts, which the broker refuses and logs.
SUSPENDED = _DESK | _PRIVATE | {Scope.QUOTA_READ, Scope.NOTICES_READ, Scope.NOTICES_CONTEST}


def granted(asked: Iterable[str], *limits: frozenset[Scope]) -> frozenset[str]:
    """The scopes of a credential that lie within all `limits`; unknown ones grant nothing."""
    known = frozenset(asked) & ALL
    for limit in limits:
        known &= {scope.value for scope in limit}
    return known
