"""Entries as documents of the Elastic Common Schema, one a line.

What the schema has no field for is under `recordguard`, named as in our own formats. Agents are
`user`; a customer is never a `user`: it stands, by reference, under `recordguard.customers`.
"""

import msgspec

from guard.entries import EntryKind, EventPart, Outcome
from guard.exports.encoder import Source
from guard.exports.row import KIND_NAMES, ExportRow, stamp

ECS_VERSION = "9.1.0"

_encode = msgspec.json.Encoder().encode

_LOOKS = frozenset(
    {
        EntryKind.VIEW,
        EntryKind.REVEAL,
        EntryKind.LISTED,
        EntryKind.SEARCH,
        EntryKind.VERIFICATION,
        EntryKind.REFUSAL,
        EntryKind.FAILED,
        EntryKind.OBSERVED,
        EntryKind.EXPORT,
        EntryKind.AUDIT_QUERY,
    }
)
_OUTCOMES = {
    Outcome.PERMITTED.value: "success",
    Outcome.REFUSED.value: "failure",
    Outcome.FAILED.value: "failure",
}
_DECISIONS = {Outcome.PERMITTED.value: "allowed", Outcome.REFUSED.value: "denied"}


class EcsWriter:
    """Renders for one log."""

    def __init__(self, source: Source) -> None:
        """Name the log and the product's version in every document."""
        self._observer = {
            "vendor": "Recordguard",
            "product": "Recordguard",
            "name": source.origin,
            "version": source.version,
        }

    def line(self, row: ExportRow) -> bytes:
        """One document."""
        event, name = row.event, KIND_NAMES[row.kind]
        return (
            _encode(
                {
                    "@timestamp": stamp(row.at),
                    "ecs": {"version": ECS_VERSION},
                    "event": {
                        "id": row.entry_id,
                        "sequence": row.index,
                        "kind": "alert" if row.kind is EntryKind.ALERT else "event",
                        "category": ["database" if row.kind in _LOOKS else "configuration"],
                        "type": _types(row.kind, event),
                        "action": f"record-{name}" if row.kind in _LOOKS else name,
                        "outcome": _OUTCOMES.get(event.outcome, "unknown"),
                        "reason": "; ".join(event.reasons),
                        "provider": "recordguard",
                    },
                    "observer": self._observer,
                    "organization": {"id": event.tenant},
                    "user": {
                        "id": event.agent,
                        "roles": [event.role],
                        "group": {"name": event.team},
                    },
                    "device": {"id": event.device},
                    "recordguard": _own(row, event),
                }
            )
            + b"\n"
        )


def _types(kind: EntryKind, event: EventPart) -> list[str]:
    if kind not in _LOOKS:
        return ["info"]
    decision = _DECISIONS.get(event.outcome)
    return ["access"] if decision is None else ["access", decision]


def _own(row: ExportRow, event: EventPart) -> dict[str, object]:
    return {
        "kind": KIND_NAMES[row.kind],
        "customers": row.refs,
        "cases": [part.case for part in row.people if part is not None and part.case],
        "actor": event.actor,
        "client": event.client,
        "session": event.session,
        "region": event.region,
        "vendor": event.vendor,
        "site": event.site,
        "purpose": event.purpose,
        "link": event.link,
        "mode": event.mode,
        "would": event.would,
        "classes": event.classes,
        "n_fields": event.n_fields,
        "n_sensitive": event.n_sensitive,
    }
