"""What the narrow text formats (CEF, syslog) tell of an entry, as plain texts by short names.

One list for both, so that neither tells more than the other: no typed reason and no list of
charges, which belong to an auditor's file and not to a collector of events.
"""

from guard.exports.row import KIND_NAMES, ExportRow


def told(row: ExportRow) -> dict[str, str]:
    """Names and texts; those that are empty are left out."""
    event = row.event
    found = {
        "id": row.entry_id,
        "index": str(row.index),
        "kind": KIND_NAMES[row.kind],
        "outcome": event.outcome,
        "tenant": event.tenant,
        "region": event.region,
        "vendor": event.vendor,
        "site": event.site,
        "team": event.team,
        "agent": event.agent,
        "actor": event.actor,
        "role": event.role,
        "client": event.client,
        "session": event.session,
        "device": event.device,
        "purpose": event.purpose,
        "link": event.link,
        "mode": event.mode,
        "would": event.would,
        "reasons": "; ".join(event.reasons),
        "customers": " ".join(row.refs),
        "cases": " ".join(part.case for part in row.people if part is not None and part.case),
    }
    return {name: text for name, text in found.items() if text}


def one_line(text: str) -> str:
    """`text` with every character that could end a line, or move a cursor, made a space."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
