import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import access_events
from detectors.errors import ColumnsError, FormatError
from guard.events import AccessAction, AccessEvent, AssignmentEvent, CaseEvent
from policies.model import Link
from tests.unit.detectors.making import NINE, make_event

REQUIRED = {"ts": "2026-03-02T09:00:00Z", "agent_id": "ann", "customer_id": "c1", "action": "view"}


def _put(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("events.csv", "ts,agent_id,customer\n"),
        ("events.csv", "ts,agent_id,customer\n1,a,c\n"),
        ("events.ndjson", '{"ts": 1, "agent_id": "a"}\n'),
    ],
)
def test_events_without_required_columns_say_which(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ColumnsError, match="lacks `customer_id`, `action`,"):
        access_events.read(path)


def test_an_empty_csv_lacks_every_required_column(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.touch()
    with pytest.raises(ColumnsError, match="lacks `ts`, `agent_id`, `customer_id`, `action`,"):
        access_events.read(path)


def test_the_required_columns_are_enough() -> None:
    event = access_events.parse_event(REQUIRED, position=3)
    assert event == AccessEvent(position=3, ts=NINE, agent_id="ann", customer_id="c1")


@pytest.mark.parametrize("column", sorted(REQUIRED))
def test_each_required_column_is_required(column: str) -> None:
    row = {k: v for k, v in REQUIRED.items() if k != column}
    with pytest.raises(FormatError, match=f"row 3 of `events`: column `{column}`"):
        access_events.parse_event(row, position=3)


@pytest.mark.parametrize("bad", [{"action": "steal"}, {"link": "friend"}, {"n_fields": "-2"}])
def test_unknown_words_are_refused_with_the_known_ones(bad: dict[str, str]) -> None:
    with pytest.raises(FormatError, match="write"):
        access_events.parse_event(REQUIRED | bad, position=0)


@pytest.mark.parametrize(
    ("fields", "count"), [(["a", "b"], 2), ("a;b;c", 3), ('["a","b"]', 2), ("", 5), (None, 5)]
)
def test_a_list_of_fields_counts_as_their_number(fields: object, count: int) -> None:
    row = REQUIRED | {"fields": fields, "n_fields": "5"}
    assert access_events.parse_event(row, position=0).n_fields == count


def test_unknown_columns_are_ignored() -> None:
    row = REQUIRED | {"ip": "192.0.2.1", "mood": "fine"}
    assert access_events.parse_event(row, position=0).agent_id == "ann"


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "jsonl"])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"events.{suffix}"
    events = [
        make_event(link=Link.QA),
        replace(
            make_event(ts=NINE + 1, position=1),
            action=AccessAction.SEARCH,
            case_id='k,"1"',
            purpose="outreach",
            n_fields=3,
            n_sensitive=2,
            result_count=0,
            dwell_s=1.5,
            device="d",
            session="s",
            outcome="refused",
        ),
    ]
    assert access_events.write(path, events) == 2
    assert list(access_events.read(path).events) == events


text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(agent=text, customer=text, case=text, ts=st.integers(0, 4_000_000_000_000_000))
def test_any_text_survives_ndjson(
    tmp_path_factory: pytest.TempPathFactory, agent: str, customer: str, case: str, ts: int
) -> None:
    path = tmp_path_factory.mktemp("x") / "events.ndjson"
    event = AccessEvent(position=0, ts=ts, agent_id=agent, customer_id=customer, case_id=case)
    access_events.write(path, [event])
    assert access_events.read(path).events == (event,)


def test_events_leave_sorted_and_keep_their_row(tmp_path: Path) -> None:
    path = _put(
        tmp_path,
        "events.csv",
        "action,customer_id,agent_id,ts",
        "view,c2,ann,200",
        "view,c1,ann,100",
    )
    assert [(e.ts, e.position) for e in access_events.read(path).events] == [
        (100_000_000, 1),
        (200_000_000, 0),
    ]


def test_a_folder_brings_all_tables_together(tmp_path: Path) -> None:
    _put(tmp_path, "events.ndjson", json.dumps(REQUIRED))
    _put(
        tmp_path,
        "agents.csv",
        "agent_id,team,role,kind,vendor,site,tz,shift_start,manager_id,hired_on",
        "ann,t1,agent,human,v1,pune,Asia/Kolkata,08:30,lea,2025-01-31",
    )
    _put(
        tmp_path,
        "cases.csv",
        "case_id,customer_id,opened_at,opened_by,closed_at,channel",
        "k1,c1,1772440000,,1772450000,phone",
    )
    _put(
        tmp_path,
        "assignments.csv",
        "case_id,agent_id,from,to,how",
        "k1,ann,1772440001,1772440002,transfer",
        "gone,ann,1772440001,,inbound",
    )
    _put(
        tmp_path,
        "customers.csv",
        "customer_id,tier,vip,balance_band,opened_on",
        "c1,standard,true,low,2020-01-01",
    )
    history = access_events.read_folder(tmp_path)
    (profile,) = history.profiles
    assert (profile.shift_start, profile.manager_id, profile.tz) == (510, "lea", "Asia/Kolkata")
    kinds = [type(e) for e in history.events]
    assert kinds == [CaseEvent, AssignmentEvent, AssignmentEvent, AccessEvent, CaseEvent]
    view = history.events[3]
    assert isinstance(view, AccessEvent)
    assert view.tier == "vip"


@pytest.mark.parametrize(
    ("row", "tier"),
    [
        ("c1,internal,,", "internal"),
        ("c1,,,top", "wealthy"),
        ("c1,,yes,", "vip"),
        ("c1,,,low", "standard"),
    ],
)
def test_tiers(tmp_path: Path, row: str, tier: str) -> None:
    _put(tmp_path, "events.ndjson", json.dumps(REQUIRED))
    _put(tmp_path, "customers.csv", "customer_id,tier,vip,balance_band", row)
    (event,) = access_events.read_folder(tmp_path).events
    assert isinstance(event, AccessEvent)
    assert event.tier == tier


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("8", 480), ("22:15", 1335), ("510", 510), ("24:00", 0), ("8:30:00", 510)],
)
def test_the_start_of_a_shift(tmp_path: Path, text: str, minutes: int) -> None:
    _put(tmp_path, "events.ndjson", json.dumps(REQUIRED))
    _put(tmp_path, "agents.csv", "agent_id,shift_start", f"ann,{text}")
    assert access_events.read_folder(tmp_path).profiles[0].shift_start == minutes


@pytest.mark.parametrize("text", ["late", "25:00", "8:xx", "9999"])
def test_an_impossible_start_of_a_shift_is_refused(tmp_path: Path, text: str) -> None:
    _put(tmp_path, "events.ndjson", json.dumps(REQUIRED))
    _put(tmp_path, "agents.csv", "agent_id,shift_start", f"ann,{text}")
    with pytest.raises(FormatError, match="column `shift_start` is no time of day"):
        access_events.read_folder(tmp_path)


def test_a_folder_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="export one into it"):
        access_events.read_folder(tmp_path)


def test_only_known_formats_are_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="neither CSV nor NDJSON"):
        access_events.write(tmp_path / "events.parquet", [])
