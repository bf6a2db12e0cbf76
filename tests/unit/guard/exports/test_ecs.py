import json

import pytest

from guard.entries import EntryKind
from guard.exports.ecs import EcsWriter
from tests.unit.guard.exports.makers import SOURCE, make_row


@pytest.mark.parametrize(
    ("outcome", "types", "told"),
    [
        ("permitted", ["access", "allowed"], "success"),
        ("refused", ["access", "denied"], "failure"),
        ("failed", ["access"], "failure"),
        ("", ["access"], "unknown"),
    ],
)
def test_a_look_is_an_access_to_a_database(outcome: str, types: list[str], told: str) -> None:
    event = json.loads(EcsWriter(SOURCE).line(make_row(outcome=outcome)))["event"]
    assert (event["category"], event["type"], event["outcome"]) == (["database"], types, told)
    assert event["action"] == "record-view"


def test_an_alert_is_an_alert_and_a_customer_no_user() -> None:
    got = json.loads(EcsWriter(SOURCE).line(make_row(EntryKind.ALERT)))
    assert (got["event"]["kind"], got["event"]["type"]) == ("alert", ["info"])
    assert got["user"]["id"] == "u-17"
    assert got["recordguard"]["customers"] == ["c1", "c2"]
