import json
from functools import cache
from typing import Any

import msgspec
import pytest

from guard.entries import EntryKind, EventPart
from guard.exports.ocsf import OcsfWriter
from guard.rows import AlertState
from tests.unit.guard.exports.makers import AT, SOURCE, make_alert, make_row, row_of

WRITER = OcsfWriter(SOURCE)

# What OCSF 1.8.0 requires of each class, as its published schema lists it.
REQUIRED = {
    6005: {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id"}
    | {"metadata", "actor", "src_endpoint", "table"},
    2004: {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id"}
    | {"metadata", "finding_info"},
}


def view(kind: EntryKind = EntryKind.VIEW, outcome: str = "permitted") -> dict[str, object]:
    got = json.loads(WRITER.line(make_row(kind, outcome)) or b"null")
    assert isinstance(got, dict)
    return got


@pytest.mark.parametrize(
    ("kind", "outcome", "activity", "action", "status"),
    [
        (EntryKind.VIEW, "permitted", 1, 1, 1),
        (EntryKind.REFUSAL, "refused", 1, 2, 2),
        (EntryKind.FAILED, "failed", 1, 1, 2),
        (EntryKind.OBSERVED, "permitted", 1, 1, 1),
        (EntryKind.EXPORT, "permitted", 4, 1, 1),
        (EntryKind.AUDIT_QUERY, "permitted", 4, 1, 1),
        (EntryKind.EXPORT, "", 4, 1, 1),
    ],
)
def test_a_look_at_records_is_a_datastore_activity(
    kind: EntryKind, outcome: str, activity: int, action: int, status: int
) -> None:
    got = view(kind, outcome)
    assert set(got) >= REQUIRED[6005]
    assert (got["class_uid"], got["category_uid"]) == (6005, 6)
    assert got["type_uid"] == 6005 * 100 + activity
    assert (got["activity_id"], got["action_id"], got["disposition_id"]) == (
        activity,
        action,
        action,
    )
    assert got["status_id"] == status
    assert got["time"] == AT // 1000


def test_a_view_names_who_and_where_in_the_log() -> None:
    got = view()
    assert got["actor"] == {
        "user": {
            "uid": "u-17",
            "type_id": 1,
            "groups": [{"name": "returns"}],
            "org": {"name": "vend"},
        },
        "session": {"uid": "s-1"},
        "app_uid": "ai-1",
    }
    assert got["src_endpoint"] == {"uid": "d-1", "name": "desk"}
    unmapped = got["unmapped"]
    assert isinstance(unmapped, dict)
    assert unmapped["tlog"] == {"origin": "example.com/log", "index": 7}
    assert (unmapped["customers"], unmapped["cases"]) == (["c1", "c2"], ["case-1"])


def test_a_bare_entry_still_has_what_is_required() -> None:
    got = WRITER.activity(row_of(EventPart(at=AT, kind="view", tenant="acme", agent="u-1")))
    assert got is not None
    assert got["actor"] == {"user": {"uid": "u-1", "type_id": 1}}
    assert got["src_endpoint"] == {"uid": "unknown", "name": "unknown"}


def test_entries_about_anything_else_are_left_out() -> None:
    looks = {"VIEW", "REFUSAL", "FAILED", "OBSERVED", "EXPORT", "AUDIT_QUERY"}
    looks |= {"REVEAL", "LISTED", "SEARCH", "VERIFICATION"}
    for kind in EntryKind:
        assert (WRITER.line(make_row(kind)) is not None) == (kind.name in looks)


@pytest.mark.parametrize(
    ("state", "activity", "status"),
    [
        (AlertState.OPEN, 1, 1),
        (AlertState.ACKNOWLEDGED, 2, 2),
        (AlertState.DISMISSED, 3, 3),
        (AlertState.CONFIRMED, 3, 4),
    ],
)
def test_an_alert_is_a_detection_finding(state: AlertState, activity: int, status: int) -> None:
    got = json.loads(msgspec.json.encode(WRITER.finding(make_alert(state))))
    assert set(got) >= REQUIRED[2004]
    assert (got["class_uid"], got["category_uid"], got["type_uid"]) == (2004, 2, 200400 + activity)
    assert (got["severity_id"], got["status_id"], got["is_alert"]) == (5, status, True)
    assert got["finding_info"]["uid"] == "al-1"
    assert got["finding_info"]["title"].startswith("69 of 80")
    uids = [one["uid"] for one in got["finding_info"]["related_events"]]
    assert uids == ["example.com/log#7", "example.com/log#9"]
    assert {one["type_uid"] for one in got["finding_info"]["related_events"]} == {600501}


def test_an_alert_names_agents_by_pseudonym_only() -> None:
    line = msgspec.json.encode(WRITER.finding(make_alert()))
    assert b"u-17" not in line
    assert b"u-18" not in line
    assert b"agent-7f3k-0000" in line


# The published schema, where the package that carries it is installed; it checks the shape only,
# the arithmetic is checked above.
@pytest.mark.parametrize("kind", list(EntryKind), ids=lambda kind: kind.name)
def test_an_activity_is_valid_by_the_published_schema(kind: EntryKind) -> None:
    event = WRITER.activity(make_row(kind))
    if event is not None:
        assert faults("datastore_activity", "security_control", event) == []


@pytest.mark.parametrize("state", list(AlertState))
def test_a_finding_is_valid_by_the_published_schema(state: AlertState) -> None:
    assert faults("detection_finding", "", WRITER.finding(make_alert(state))) == []


def test_the_published_schema_finds_what_is_wrong() -> None:
    event = WRITER.activity(make_row())
    assert event is not None
    for change in ({"time": "yesterday"}, {"made_up": 1}, {"activity_id": "1"}):
        assert faults("datastore_activity", "security_control", event | change) != []
    del event["actor"]
    assert faults("datastore_activity", "security_control", event) != []


@cache
def published(name: str, profile: str) -> Any:  # noqa: ANN401 - the package has no types
    package = pytest.importorskip("ocsf_json_schema")
    validator = pytest.importorskip("jsonschema_rs")
    schema = package.OcsfJsonSchemaEmbedded(package.get_ocsf_schema("1.8.0"))
    found = schema.get_class_schema(name, [profile] if profile else [])
    return validator.validator_for(found)


def faults(name: str, profile: str, event: dict[str, object]) -> list[str]:
    plain = json.loads(msgspec.json.encode(event))
    return [error.message for error in published(name, profile).iter_errors(plain)]
