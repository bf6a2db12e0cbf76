import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.log import ExportBody
from api.schemas.parse import parse
from guard.entries import EntryKind
from guard.rows import LogQuery
from tests.support.makers import NOON

FILTERS = {
    "customer": "ref-1",
    "agent": "a1",
    "team": "team-1",
    "vendor": "vend",
    "purpose": "support_case",
}


def test_an_export_of_everything_needs_no_word() -> None:
    assert parse(ExportBody, b"{}").query("acme") == LogQuery(tenant="acme")


def test_every_filter_reaches_the_query() -> None:
    asked = FILTERS | {"since": "2026-11-18T12:00:00Z", "until": "2026-11-18T12:00:01Z"}
    query = parse(ExportBody, json.dumps(asked).encode()).query("acme")
    assert query == LogQuery(
        tenant="acme",
        ref="ref-1",
        agent_id="a1",
        team="team-1",
        vendor="vend",
        purpose="support_case",
        since=NOON,
        until=NOON + 1_000_000,
    )


@pytest.mark.parametrize("kind", ["view", "refusal", "failed", "refund", "closed", "export"])
def test_a_kind_is_named_as_its_entries_are(kind: str) -> None:
    body = parse(ExportBody, json.dumps({"kinds": [kind]}).encode())
    assert body.query("acme").kinds == (EntryKind[kind.upper()],)


@pytest.mark.parametrize(
    "wrong",
    [{"kinds": ["sign_in"]}, {"kinds": ["view"] * 99}, {"format": "xlsx"}, {"tenant": "other"}],
)
def test_what_cannot_be_exported_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RequestValidationError):
        parse(ExportBody, json.dumps(wrong).encode())
