import json
from dataclasses import replace

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.exports import ExportBody, ExportJobOut
from api.schemas.parse import parse
from guard.entries import EntryKind
from guard.exports import CellGuard, ExportFormat
from guard.exports.order import ExportOrder
from guard.rows import ExportJobRow, LogQuery
from tests.support.makers import NOON

FILTERS = {
    "customer": "ref-1",
    "agent": "a1",
    "team": "team-1",
    "vendor": "vend",
    "purpose": "support_case",
    "link": "owner",
    "field": "contact",
}


def test_an_export_of_everything_needs_no_word() -> None:
    assert parse(ExportBody, b"{}").order("acme").query == LogQuery(tenant="acme")


def test_every_filter_reaches_the_query() -> None:
    asked = FILTERS | {
        "clear": True,
        "since": "2026-11-18T12:00:00Z",
        "until": "2026-11-18T12:00:01Z",
    }
    query = parse(ExportBody, json.dumps(asked).encode()).order("acme").query
    assert query == LogQuery(
        tenant="acme",
        ref="ref-1",
        agent_id="a1",
        team="team-1",
        vendor="vend",
        purpose="support_case",
        link="owner",
        field="contact",
        is_clear=True,
        since=NOON,
        until=NOON + 1_000_000,
    )


@pytest.mark.parametrize("kind", ["view", "refusal", "failed", "refund", "closed", "export"])
def test_a_kind_is_named_as_its_entries_are(kind: str) -> None:
    body = parse(ExportBody, json.dumps({"kinds": [kind]}).encode())
    assert body.order("acme").query.kinds == (EntryKind[kind.upper()],)


@pytest.mark.parametrize(
    "wrong",
    [{"kinds": ["sign_in"]}, {"kinds": ["view"] * 99}, {"format": "xlsx"}, {"tenant": "other"}],
)
def test_what_cannot_be_exported_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RequestValidationError):
        parse(ExportBody, json.dumps(wrong).encode())


def test_what_the_file_is_like_reaches_the_order() -> None:
    asked = {"format": "csv", "cells": "raw", "customers": False, "why": "w", "recipient": "firm"}
    order = parse(ExportBody, json.dumps(asked).encode()).order("acme")
    assert order == ExportOrder(
        format=ExportFormat.CSV,
        query=LogQuery(tenant="acme"),
        cells=CellGuard.RAW,
        customers=False,
        why="w",
        recipient="firm",
    )


def test_a_job_is_told_by_what_has_left() -> None:
    order = ExportOrder(format=ExportFormat.OCSF, query=LogQuery(tenant="acme"))
    row = ExportJobRow(
        id="j",
        tenant="acme",
        requested_by="aud",
        order=order.encoded(),
        size=9,
        root=bytes(32),
        created_at=NOON,
        before=3,
    )
    told = ExportJobOut.of(row)
    assert (told.format, told.is_complete, told.sha256) == (ExportFormat.OCSF, False, None)
    assert ExportJobOut.of(replace(row, sha256="ab")).is_complete
