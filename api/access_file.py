"""Reading access events that another system wrote: CSV or NDJSON, `docs/formats/access-events.md`.

Four tables make a history; only `events` is needed. Columns that we do not know are ignored, so
that a file may hold more than we ask for. A line that cannot be used is named by file and number,
never by its content.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from guard.clock import SECOND, Micros, from_rfc3339
from guard.errors import InvalidRequestError
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

Row = Mapping[str, object]
T = TypeVar("T")

# Beyond any log line; stops a file without line ends from filling the memory.
MAX_LINE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The files of one history."""

    events: Path
    agents: Path | None = None
    cases: Path | None = None
    assignments: Path | None = None


def read_history(tables: Tables) -> History:
    """Read a history, sorted by time; an event's position is its row in the events file.

    Raises:
        InvalidRequestError: A file cannot be read, or a line cannot be used.
    """
    events: list[FloorEvent] = list(_parsed(tables.events, _access))
    customers: dict[str, str] = {}
    if tables.cases is not None:
        for pair in _parsed(tables.cases, _case):
            customers[pair[0].case_id] = pair[0].customer_id
            events.extend(pair)
    if tables.assignments is not None:
        for pair in _parsed(tables.assignments, lambda row, n: _assignment(row, n, customers)):
            events.extend(pair)
    agents = () if tables.agents is None else tuple(_parsed(tables.agents, _profile))
    return History(profiles=agents, events=tuple(sorted(events, key=lambda e: e.ts)))


def _parsed(path: Path, parse: Callable[[Row, int], T]) -> Iterator[T]:
    number = 0
    try:
        for number, row in enumerate(_rows(path)):
            yield parse(row, number)
    except (ValueError, KeyError, msgspec.DecodeError) as error:
        what = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else "cannot be used"
        raise InvalidRequestError(
            f"{path.name}: row {number}: {what}; see docs/formats/access-events.md"
        ) from None
    except OSError as error:
        raise InvalidRequestError(f"{path.name} cannot be read: {error.strerror}") from None


def _rows(path: Path) -> Iterator[Row]:
    match path.suffix:
        case ".csv":
            with path.open(newline="", encoding="utf-8-sig") as file:
                for row in csv.DictReader(file):
                    yield {name: value for name, value in row.items() if value not in {"", None}}
        case ".ndjson" | ".jsonl":
            decode = msgspec.json.Decoder(dict[str, object]).decode
            with path.open("rb") as file:
                while line := file.readline(MAX_LINE):
                    if line.strip():
                        yield {k: v for k, v in decode(line).items() if v is not None}
        case other:
            raise InvalidRequestError(
                f"{path.name}: `{other}` is not read here, write CSV or NDJSON"
            )


def _time(value: object) -> Micros:
    """RFC 3339, or seconds since the epoch."""
    if isinstance(value, int | float):
        return round(value * SECOND)
    text = str(value)
    try:
        return round(float(text) * SECOND)
    except ValueError:
        return from_rfc3339(text)


def _text(row: Row, name: str, default: str = "") -> str:
    return str(row.get(name, default))


def _maybe(row: Row, name: str) -> str | None:
    return str(row[name]) if name in row else None


def _number(row: Row, name: str, default: int = 0) -> int:
    return int(float(str(row.get(name, default))))


def _fields(row: Row) -> int:
    fields = row.get("fields")
    if isinstance(fields, list):
        return len(fields)
    if isinstance(fields, str):
        return len([f for f in fields.replace(";", ",").split(",") if f.strip()])
    return _number(row, "n_fields")


def _access(row: Row, number: int) -> AccessEvent:
    dwell = row.get("dwell_s")
    return AccessEvent(
        position=number,
        ts=_time(row["ts"]),
        agent_id=str(row["agent_id"]),
        customer_id=str(row["customer_id"]),
        action=AccessAction(str(row["action"])),
        case_id=_maybe(row, "case_id"),
        purpose=_maybe(row, "purpose"),
        link=Link(_text(row, "link", "none")),
        n_fields=_fields(row),
        n_sensitive=_number(row, "n_sensitive"),
        result_count=_number(row, "result_count", 1),
        dwell_s=None if dwell is None else float(str(dwell)),
        device=_maybe(row, "device"),
        session=_maybe(row, "session"),
        outcome=_text(row, "outcome", "permitted"),
        tier=_text(row, "tier", "standard"),
    )


def _profile(row: Row, _number_: int) -> AgentProfile:
    start = row.get("shift_start")
    hired = row.get("hired_on")
    return AgentProfile(
        agent_id=str(row["agent_id"]),
        team=_text(row, "team"),
        role=_text(row, "role", "agent"),
        kind=_text(row, "kind", "human"),
        vendor=_text(row, "vendor"),
        site=_text(row, "site"),
        tz=_text(row, "tz", "UTC"),
        shift_start=None if start is None else _minutes(str(start)),
        manager_id=_maybe(row, "manager_id"),
        hired_on=None if hired is None else _time(_as_instant(str(hired))),
    )


def _minutes(text: str) -> int:
    """Minutes after midnight, written as such or as `HH:MM`."""
    hours, colon, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes) if colon else int(float(text))


def _as_instant(text: str) -> str:
    """A day without a time begins at midnight UTC."""
    is_day = len(text) == len("2026-11-21") and text.count("-") == len("--")
    return f"{text}T00:00:00Z" if is_day else text


def _case(row: Row, number: int) -> list[CaseEvent]:
    def event(at: object, *, is_open: bool) -> CaseEvent:
        return CaseEvent(
            position=number,
            ts=_time(at),
            case_id=str(row["case_id"]),
            customer_id=str(row["customer_id"]),
            opened_by=_maybe(row, "opened_by"),
            channel=_text(row, "channel"),
            is_open=is_open,
        )

    opened = [event(row["opened_at"], is_open=True)]
    return opened if "closed_at" not in row else [*opened, event(row["closed_at"], is_open=False)]


def _assignment(row: Row, number: int, customers: Mapping[str, str]) -> list[AssignmentEvent]:
    case_id = str(row["case_id"])

    def event(at: object, *, is_start: bool) -> AssignmentEvent:
        return AssignmentEvent(
            position=number,
            ts=_time(at),
            case_id=case_id,
            customer_id=customers.get(case_id, ""),
            agent_id=str(row["agent_id"]),
            how=_text(row, "how"),
            is_start=is_start,
        )

    given = [event(row["from"], is_start=True)]
    return given if "to" not in row else [*given, event(row["to"], is_start=False)]
