import json

import pytest

from guard.entries import EntryKind, EventPart, OpenedEntry
from guard.exports.ocsf import OcsfWriter, ocsf_alerts, ocsf_views
from guard.rows import AlertState
from tests.unit.guard.exports.makers import AT, make_alert, make_opened

WRITER = OcsfWriter("example.com/log", "0.1.0")

# What OCSF 1.8.0 requires of each class, as its published schema lists it.
REQUIRED = {
    6005: {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id"}
    | {"metadata", "actor", "src_endpoint", "table"},
    2004: {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id"}
    | {"metadata", "finding_info"},
}


def view(kind: EntryKind = EntryKind.VIEW, outcome: str = "permitted") -> dict[str, object]:
    (line,) = ocsf_views([make_opened(kind, outcome)], WRITER)
    got = json.loads(line)
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
    bare = OpenedEntry(
        index=0,
        entry_id="00" * 16,
        kind=EntryKind.VIEW,
        event=EventPart(at=AT, kind="view", tenant="acme", agent="u-1"),
        refs=(),
        subjects=(),
    )
    got = WRITER.activity(bare)
    assert got is not None
    assert got["actor"] == {"user": {"uid": "u-1", "type_id": 1}}
    assert got["src_endpoint"] == {"uid": "unknown", "name": "unknown"}


def test_entries_about_anything_else_are_left_out() -> None:
    looks = {"VIEW", "REFUSAL", "FAILED", "OBSERVED", "EXPORT", "AUDIT_QUERY"}
    looks |= {"REVEAL", "LISTED", "SEARCH", "VERIFICATION"}
    for kind in EntryKind:
        assert (list(ocsf_views([make_opened(kind)], WRITER)) != []) == (kind.name in looks)


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
    (line,) = ocsf_alerts([make_alert(state)], WRITER)
    got = json.loads(line)
    assert set(got) >= REQUIRED[2004]
    assert (got["class_uid"], got["category_uid"], got["type_uid"]) == (2004, 2, 200400 + activity)
    assert (got["severity_id"], got["status_id"], got["is_alert"]) == (5, status, True)
    assert got["finding_info"]["uid"] == "al-1"
    assert got["finding_info"]["title"].startswith("69 of 80")
    uids = [one["uid"] for one in got["finding_info"]["related_events"]]
    assert uids == ["example.com/log#7", "example.com/log#9"]
    assert {one["type_uid"] for one in got["finding_info"]["related_events"]} == {600501}


def test_an_alert_names_agents_by_pseudonym_only() -> None:
    (line,) = ocsf_alerts([make_alert()], WRITER)
    assert b"u-17" not in line
    assert b"u-18" not in line
    assert b"agent-7f3k-0000" in line
