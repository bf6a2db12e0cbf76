"""What an entry says to the person whose data it is about: plain words, no names, no reasons.

The words are ours and few. A kind, role or purpose that is not here has none, and whoever adds one
decides at the same time what a customer reads.
"""

from collections.abc import Mapping

from guard.entries import EntryKind, EventPart
from policies.model import Form, Purpose, Role

ACTS: Mapping[EntryKind, str] = {
    EntryKind.VIEW: "opened your record",
    EntryKind.REVEAL: "opened single fields of your record",
    EntryKind.LISTED: "saw you in a list of customers",
    EntryKind.SEARCH: "found you by a search",
    EntryKind.VERIFICATION: "checked something you said against your record",
    EntryKind.CONTACT: "contacted you",
    EntryKind.REDACTION: "removed your personal data from a message of yours",
    EntryKind.MERGE: "joined two records of yours",
    EntryKind.OBSERVED: "used your record in another system",
    EntryKind.EXPORT: "took out a report of this history that includes you",
    EntryKind.AUDIT_QUERY: "checked who had looked at your record",
    EntryKind.HISTORY: "gave you this history",
}
# Acts by which somebody saw, used or checked the record: what a customer may dispute.
DISPUTABLE = frozenset(
    {
        EntryKind.VIEW,
        EntryKind.REVEAL,
        EntryKind.LISTED,
        EntryKind.SEARCH,
        EntryKind.VERIFICATION,
        EntryKind.CONTACT,
        EntryKind.OBSERVED,
    }
)
_SHOWING = frozenset({EntryKind.VIEW, EntryKind.REVEAL, EntryKind.LISTED})
_ROLES: Mapping[str, str] = {
    Role.AGENT.value: "a support agent",
    Role.LEAD.value: "a team lead",
    Role.MANAGER.value: "an operations manager",
    Role.ANALYST.value: "a security analyst",
    Role.AUDITOR.value: "an auditor",
    Role.ADMIN.value: "an administrator",
    Role.SERVICE.value: "an automated service",
}
_PURPOSES: Mapping[str, str] = {
    Purpose.SUPPORT_CASE.value: "a support case",
    Purpose.OUTREACH.value: "contacting customers",
    Purpose.QUALITY_REVIEW.value: "a review of our service's quality",
    Purpose.AI_SESSION.value: "a conversation with an assistant",
    Purpose.INVESTIGATION.value: "a security investigation",
    Purpose.FRAUD_REVIEW.value: "protection against fraud",
    Purpose.ONBOARDING.value: "opening your account",
    Purpose.BREAK_GLASS.value: "an emergency, reviewed afterwards",
}


def role_in_words(event: EventPart) -> str:
    """What somebody is, never who."""
    role = _ROLES.get(event.role, "somebody who works for us")
    return f"an AI assistant for {role}" if event.actor else role


def purpose_in_words(event: EventPart) -> str:
    """What it was for; empty where the act has no purpose of its own."""
    return _PURPOSES.get(event.purpose, "")


def shown_in_clear(kind: EntryKind, event: EventPart) -> bool | None:
    """Whether any field was shown as it is; None: another system's log does not say."""
    if kind is EntryKind.OBSERVED:
        return None
    return kind in _SHOWING and Form.PLAIN.name.lower() in event.classes.values()
