"""Entries and alerts in OCSF 1.8.0, for the SIEM.

A view, refused or not, is a Datastore Activity (6005) with the profile `security_control`; an alert
is a Detection Finding (2004). One class for people and AI agents alike, so that one rule covers
both. What OCSF has no place for is under `unmapped`, named as in our own formats.
"""

import msgspec

from guard.clock import Micros
from guard.entries import EntryKind, EventPart, Outcome
from guard.exports.encoder import Source
from guard.exports.row import KIND_NAMES, ExportRow
from guard.findings import Severity
from guard.rows import AlertRow, AlertState

OCSF_VERSION = "1.8.0"

DATASTORE_ACTIVITY = 6005
DETECTION_FINDING = 2004

_READ, _QUERY = 1, 4
_CREATE, _UPDATE, _CLOSE = 1, 2, 3
_ALLOWED, _DENIED = 1, 2
_ALLOWED_DISPOSITION, _BLOCKED_DISPOSITION = 1, 2
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL = 1

# Which entries are somebody looking at records; all others have no place in this class.
_ACTIVITIES = {
    EntryKind.VIEW: _READ,
    EntryKind.REVEAL: _READ,
    EntryKind.LISTED: _READ,
    EntryKind.SEARCH: _QUERY,
    EntryKind.VERIFICATION: _QUERY,
    EntryKind.REFUSAL: _READ,
    EntryKind.FAILED: _READ,
    EntryKind.OBSERVED: _READ,
    EntryKind.EXPORT: _QUERY,
    EntryKind.AUDIT_QUERY: _QUERY,
}
# A look at the log itself has no outcome: it is recorded only when it is answered.
_FAILED = frozenset({Outcome.REFUSED.value, Outcome.FAILED.value})
_SEVERITIES = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_STATES = {
    AlertState.OPEN: (_CREATE, 1),
    AlertState.ACKNOWLEDGED: (_UPDATE, 2),
    AlertState.CONFIRMED: (_CLOSE, 4),
    AlertState.DISMISSED: (_CLOSE, 3),
}

Event = dict[str, object]
_encode = msgspec.json.Encoder().encode


def _milliseconds(at: Micros) -> int:
    return at // 1000


def _classed(class_uid: int, activity: int, severity: int, at: Micros) -> Event:
    return {
        "activity_id": activity,
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "type_uid": class_uid * 100 + activity,
        "severity_id": severity,
        "time": _milliseconds(at),
    }


class OcsfWriter:
    """Renders for one log, by one version of this product."""

    def __init__(self, source: Source) -> None:
        """Name the log and the product's version in every event."""
        self._origin, self._version = source.origin, source.version

    def _metadata(self, uid: str, profiles: list[str]) -> Event:
        product = {
            "name": "Recordguard",
            "vendor_name": "Recordguard",
            "version": self._version,
        }
        return {"version": OCSF_VERSION, "product": product, "uid": uid, "profiles": profiles}

    def line(self, entry: ExportRow) -> bytes | None:
        """A look at records on a line of its own; None for entries about anything else."""
        event = self.activity(entry)
        return None if event is None else _encode(event) + b"\n"

    def activity(self, entry: ExportRow) -> Event | None:
        """A look at records as a Datastore Activity; None for entries about anything else."""
        number = _ACTIVITIES.get(entry.kind)
        if number is None:
            return None
        event = entry.event
        is_allowed = event.outcome != Outcome.REFUSED
        user: Event = {"uid": event.agent, "type_id": 1}
        if event.team:
            user["groups"] = [{"name": event.team}]
        if event.vendor:
            user["org"] = {"name": event.vendor}
        actor: Event = {"user": user}
        if event.session:
            actor["session"] = {"uid": event.session}
        if event.actor:
            actor["app_uid"] = event.actor
        return {
            **_classed(DATASTORE_ACTIVITY, number, _INFORMATIONAL, event.at),
            "metadata": self._metadata(entry.entry_id, ["security_control"]),
            "actor": actor,
            "src_endpoint": {"uid": event.device or "unknown", "name": event.client or "unknown"},
            "table": {"name": "customers"},
            "action_id": _ALLOWED if is_allowed else _DENIED,
            "disposition_id": _ALLOWED_DISPOSITION if is_allowed else _BLOCKED_DISPOSITION,
            "status_id": _FAILURE if event.outcome in _FAILED else _SUCCESS,
            "status_detail": "; ".join(event.reasons) or event.outcome,
            "unmapped": self._unmapped(entry, event),
        }

    def _unmapped(self, entry: ExportRow, event: EventPart) -> Event:
        return {
            "tlog": {"origin": self._origin, "index": entry.index},
            "kind": KIND_NAMES[entry.kind],
            "tenant": event.tenant,
            "customers": list(entry.refs),
            "cases": [part.case for part in entry.people if part is not None and part.case],
            "purpose": event.purpose,
            "link": event.link,
            "mode": event.mode,
            "would": event.would,
            "classes": dict(event.classes),
            "n_fields": event.n_fields,
            "n_sensitive": event.n_sensitive,
        }

    def finding(self, alert: AlertRow) -> Event:
        """An alert as a Detection Finding; agents appear by pseudonym only."""
        activity, status = _STATES[alert.state]
        found = alert.finding
        return {
            **_classed(DETECTION_FINDING, activity, _SEVERITIES[alert.severity], alert.updated_at),
            "metadata": self._metadata(f"{alert.id}/{alert.updated_at}", []),
            "is_alert": True,
            "status_id": status,
            "finding_info": {
                "uid": alert.id,
                "title": found.reasons[0] if found.reasons else f"{found.kind} finding",
                "desc": " ".join(found.reasons),
                "types": [found.kind, *found.channels],
                "created_time": _milliseconds(alert.raised_at),
                "modified_time": _milliseconds(alert.updated_at),
                "first_seen_time": _milliseconds(found.first_event_at),
                "last_seen_time": _milliseconds(found.raised_at),
                "related_events": [
                    {"uid": f"{self._origin}#{index}", "type_uid": DATASTORE_ACTIVITY * 100 + _READ}
                    for index in found.evidence
                ],
            },
            "evidences": [{"actor": {"user": {"uid": name}}} for name in alert.pseudonyms],
            "unmapped": {
                "tenant": alert.tenant,
                "score": found.score,
                "contributions": dict(found.contributions),
                "label": alert.label or "",
            },
        }
