"""The columns of an export: one row for each entry and customer.

`COLUMNS` is public and only grows at its end. An entry about nobody is one row with an empty
`customer`; an erased customer keeps its reference, and `erased` says why case and reason are empty.
"""

from collections.abc import Iterator

from guard.exports.row import KIND_NAMES, ExportRow, stamp

COLUMNS = (
    "index",
    "entry_id",
    "at",
    "kind",
    "outcome",
    "tenant",
    "region",
    "vendor",
    "site",
    "team",
    "agent",
    "actor",
    "role",
    "client",
    "session",
    "device",
    "purpose",
    "link",
    "tier",
    "customer",
    "case",
    "reason",
    "erased",
    "classes",
    "n_fields",
    "n_sensitive",
    "mode",
    "would",
    "reasons",
    "determined_by",
    "charges",
    "facts_id",
    "bundle",
)

Row = tuple[str, ...]


def table_rows(row: ExportRow) -> Iterator[Row]:
    """The rows of one entry, in the order of `COLUMNS`; lists are joined with `;`."""
    event = row.event
    before = (
        str(row.index),
        row.entry_id,
        stamp(row.at),
        KIND_NAMES[row.kind],
        event.outcome,
        event.tenant,
        event.region,
        event.vendor,
        event.site,
        event.team,
        event.agent,
        event.actor,
        event.role,
        event.client,
        event.session,
        event.device,
        event.purpose,
        event.link,
        event.tier,
    )
    after = (
        ";".join(f"{name}={form}" for name, form in event.classes.items()),
        str(event.n_fields),
        str(event.n_sensitive),
        event.mode,
        event.would,
        ";".join(event.reasons),
        ";".join(event.determined_by),
        ";".join(f"{one.key}/{one.measure}={one.amount}" for one in event.charges),
        event.facts_id,
        event.bundle,
    )
    for ref, part in zip(row.refs, row.people, strict=True):
        if part is None:
            yield (*before, ref, "", "", "true", *after)
        else:
            yield (*before, ref, part.case, part.reason, "false", *after)
    if not row.refs:
        yield (*before, "", "", "", "false", *after)
