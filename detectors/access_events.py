"""The public access-events format, read and written: CSV and NDJSON, the same columns.

`docs/formats/access-events.md` is the contract. Required columns are `ts`, `agent_id`,
`customer_id` and `action`; all others are optional and unknown ones are ignored. A row's place in
its file, from 0, becomes the event's position, so that evidence can be looked up in the file that
it came from; the events leave here sorted by time.

`parse_event` reads one row by itself, for the live feed of a foreign desk.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from detectors.cells import SUFFIXES, Cells, rows
from detectors.errors import FormatError
from guard.clock import to_rfc3339
from guard.events import (
    AccessAction,
    AccessEvent,
    AgentProfile,
    AssignmentEvent,
    CaseEvent,
    FloorEvent,
    History,
)
from policies.model import Link

TABLES = ("events", "agents", "cases", "assignments", "customers")
# Written columns, in order; reading takes them in any order.
COLUMNS = (
    "ts",
    "agent_id",
    "customer_id",
    "action",
    "case_id",
    "purpose",
    "link",
    "n_fields",
    "n_sensitive",
    "result_count",
    "dwell_s",
    "device",
    "session",
    "outcome",
)
REQUIRED = COLUMNS[:4]
HOURS_OF_A_DAY, MINUTES_OF_A_DAY = 24, 24 * 60
WEALTHY = frozenset({"top", "high", "wealthy"})


def read_folder(folder: Path) -> History:
    """Read `events.csv` (or `.ndjson`) and whichever of the other tables lie beside it.

    Raises:
        FormatError: The events are missing, or a row of a table cannot be read.
    """
    found: dict[str, Path] = {}
    for table in TABLES:
        for suffix in SUFFIXES:
            path = folder / (table + suffix)
            if table not in found and path.is_file():
                found[table] = path
    if "events" not in found:
        raise FormatError("the folder holds no `events.csv` or `events.ndjson`, export one into it")
    return read(
        found["events"],
        agents=found.get("agents"),
        cases=found.get("cases"),
        assignments=found.get("assignments"),
        customers=found.get("customers"),
    )


def read(
    events: Path,
    *,
    agents: Path | None = None,
    cases: Path | None = None,
    assignments: Path | None = None,
    customers: Path | None = None,
) -> History:
    """Read a foreign log into one history, sorted by time.

    An assignment of a case that the `cases` table does not list is left out: without a customer it
    explains nothing.

    Raises:
        ColumnsError: The events lack required columns; it names them.
        FormatError: A row cannot be read; it names the file, the row and the column.
    """
    tiers = dict(_tier(c) for c in rows(customers)) if customers is not None else {}
    profiles = tuple(_profile(c) for c in rows(agents)) if agents is not None else ()
    out: list[FloorEvent] = [_access(c, tiers) for c in rows(events, *REQUIRED)]
    owners: dict[str, str] = {}
    if cases is not None:
        for cells in rows(cases):
            out += _case(cells)
            owners[cells.text("case_id")] = cells.text("customer_id")
    if assignments is not None:
        for cells in rows(assignments):
            out += _assignment(cells, owners)
    return History(events=tuple(sorted(out, key=lambda e: e.ts)), profiles=profiles)


def parse_event(row: Mapping[str, object], *, position: int) -> AccessEvent:
    """Read one row of a live feed.

    Raises:
        FormatError: A required column is missing or a cell cannot be read.
    """
    return _access(Cells(row, source="events", position=position), {})


def write(path: Path, events: Iterable[AccessEvent]) -> int:
    """Write events as CSV or NDJSON, by the file's suffix; returns how many.

    Raises:
        FormatError: The suffix names neither format.
    """
    if path.suffix not in SUFFIXES:
        raise FormatError(f"`{path.name}` names neither CSV nor NDJSON, choose one of them")
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if path.suffix == ".csv":
            table.writerow(COLUMNS)
        for event in events:
            row = _row(event)
            if path.suffix == ".csv":
                table.writerow([row.get(column, "") for column in COLUMNS])
            else:
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
    return count


def _row(event: AccessEvent) -> dict[str, str | int | float]:
    """The cells of one event, absent ones left out."""
    cells: dict[str, str | int | float | None] = {
        "ts": to_rfc3339(event.ts),
        "agent_id": event.agent_id,
        "customer_id": event.customer_id,
        "action": event.action.value,
        "case_id": event.case_id,
        "purpose": event.purpose,
        "link": event.link.value,
        "n_fields": event.n_fields,
        "n_sensitive": event.n_sensitive,
        "result_count": event.result_count,
        "dwell_s": event.dwell_s,
        "device": event.device,
        "session": event.session,
        "outcome": event.outcome,
    }
    return {column: cell for column, cell in cells.items() if cell is not None}


def _access(cells: Cells, tiers: Mapping[str, str]) -> AccessEvent:
    customer = cells.text("customer_id")
    return AccessEvent(
        position=cells.position,
        ts=cells.required_moment("ts"),
        agent_id=cells.text("agent_id"),
        customer_id=customer,
        action=_action(cells),
        case_id=cells.optional("case_id"),
        purpose=cells.optional("purpose"),
        link=_link(cells),
        n_fields=_n_fields(cells),
        n_sensitive=cells.count("n_sensitive", 0),
        result_count=cells.count("result_count", 1),
        dwell_s=cells.number("dwell_s"),
        device=cells.optional("device"),
        session=cells.optional("session"),
        outcome=cells.optional("outcome") or "permitted",
        tier=tiers.get(customer, "standard"),
    )


def _action(cells: Cells) -> AccessAction:
    try:
        return AccessAction(cells.text("action").lower())
    except ValueError:
        known = ", ".join(AccessAction)
        raise cells.wrong("action", f"is unknown, write one of {known}") from None


def _link(cells: Cells) -> Link:
    name = cells.optional("link")
    try:
        return Link.NONE if name is None else Link(name.lower())
    except ValueError:
        known = ", ".join(link.value for link in Link)
        raise cells.wrong("link", f"is unknown, write one of {known}") from None


def _n_fields(cells: Cells) -> int:
    fields = cells.row.get("fields")
    if isinstance(fields, list):
        return len(fields)
    if isinstance(fields, str) and fields:
        return len(fields.strip("[]").split(";" if ";" in fields else ","))
    return cells.count("n_fields", 0)


def _profile(cells: Cells) -> AgentProfile:
    return AgentProfile(
        agent_id=cells.text("agent_id"),
        team=cells.optional("team") or "",
        role=cells.optional("role") or "agent",
        kind=cells.optional("kind") or "human",
        vendor=cells.optional("vendor") or "",
        site=cells.optional("site") or "",
        tz=cells.optional("tz") or "UTC",
        shift_start=_shift_start(cells),
        manager_id=cells.optional("manager_id"),
        hired_on=_date(cells, "hired_on"),
    )


def _shift_start(cells: Cells) -> int | None:
    """Minutes after local midnight, from `08:30`, whole hours (up to 24) or minutes."""
    text = cells.optional("shift_start")
    if text is None:
        return None
    hours, colon, rest = text.partition(":")
    minutes = rest[:2]
    if colon and hours.isdigit() and minutes.isdigit():
        start = int(hours) * 60 + int(minutes)
    elif text.isdigit():
        start = int(text) * 60 if int(text) <= HOURS_OF_A_DAY else int(text)
    else:
        start = MINUTES_OF_A_DAY + 1
    if start > MINUTES_OF_A_DAY:
        raise cells.wrong("shift_start", "is no time of day, write `08:30`")
    return start % MINUTES_OF_A_DAY


def _date(cells: Cells, column: str) -> int | None:
    text = cells.optional(column)
    if text is not None and len(text) == len("2026-01-31") and text[4] == "-":
        return Cells(
            {column: text + "T00:00:00Z"}, source=cells.source, position=cells.position
        ).moment(column)
    return cells.moment(column)


def _case(cells: Cells) -> list[CaseEvent]:
    def event(at: int, *, is_open: bool) -> CaseEvent:
        return CaseEvent(
            position=cells.position,
            ts=at,
            case_id=cells.text("case_id"),
            customer_id=cells.text("customer_id"),
            opened_by=cells.optional("opened_by"),
            channel=cells.optional("channel") or "",
            is_open=is_open,
        )

    out = [event(cells.required_moment("opened_at"), is_open=True)]
    closed = cells.moment("closed_at")
    return out if closed is None else [*out, event(closed, is_open=False)]


def _assignment(cells: Cells, owners: Mapping[str, str]) -> list[AssignmentEvent]:
    customer = owners.get(cells.text("case_id"))
    if customer is None:
        return []

    def event(at: int, *, is_start: bool) -> AssignmentEvent:
        return AssignmentEvent(
            position=cells.position,
            ts=at,
            case_id=cells.text("case_id"),
            customer_id=customer,
            agent_id=cells.text("agent_id"),
            how=cells.optional("how") or "inbound",
            is_start=is_start,
        )

    out = [event(cells.required_moment("from"), is_start=True)]
    until = cells.moment("to")
    return out if until is None else [*out, event(until, is_start=False)]


def _tier(cells: Cells) -> tuple[str, str]:
    """A customer's tier; a protected or wealthy customer needs no other name for it."""
    tier = (cells.optional("tier") or "standard").lower()
    if cells.flag("vip"):
        tier = "vip"
    elif tier == "standard" and (cells.optional("balance_band") or "").lower() in WEALTHY:
        tier = "wealthy"
    return cells.text("customer_id"), tier
