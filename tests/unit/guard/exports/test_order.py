import hashlib

import pytest

from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.exports import CellGuard, ExportFormat
from guard.exports.order import ExportOrder, decode_order, filter_of
from guard.rows import LogQuery

QUERY = LogQuery(tenant="acme", agent_id="a1", kinds=(EntryKind.VIEW,), since=0)


def test_an_order_is_kept_as_it_was() -> None:
    order = ExportOrder(format=ExportFormat.CSV, query=QUERY, cells=CellGuard.RAW, why="w")
    assert decode_order(order.encoded()) == order


def test_a_filter_is_told_by_names() -> None:
    assert filter_of(QUERY, "j") == {
        "agent": "a1",
        "kinds": "view",
        "since": "1970-01-01T00:00:00.000000Z",
    }
    narrow = LogQuery(tenant="acme", link="owner", field="contact", is_clear=True)
    assert filter_of(narrow, "j") == {"link": "owner", "field": "contact", "clear": "true"}
    assert filter_of(LogQuery(tenant="acme"), "j") == {}


def test_whom_a_file_is_about_and_why_is_not_kept_in_the_clear() -> None:
    query = LogQuery(tenant="acme", ref="c-1")
    order = ExportOrder(format=ExportFormat.CSV, query=query, why="a complaint of hers")
    assert decode_order(order.encoded()).why == ""
    assert "hers" not in order.encoded()
    names = {filter_of(query, job)["customer"] for job in ("j", "k")}
    assert hashlib.sha256(b"j:c-1").hexdigest() in names
    assert len(names) == 2


def test_whoever_is_outside_is_told_why() -> None:
    with pytest.raises(InvalidRequestError):
        ExportOrder(format=ExportFormat.CSV, query=QUERY, recipient="firm", why="short").check()
    ExportOrder(format=ExportFormat.CSV, query=QUERY, recipient="firm", why="long enough").check()
