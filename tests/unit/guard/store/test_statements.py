import pytest
from sqlalchemy import create_engine, select, text

from guard.errors import ConflictError, StoreUnavailableError
from guard.store.statements import WriteSession, values_of
from guard.store.tables import METADATA, facts, work_list_member


@pytest.fixture
def session() -> WriteSession:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    return WriteSession(engine.connect())


def test_put_replaces_and_keep_does_not(session: WriteSession) -> None:
    session._put(facts, [{"id": "f", "body": "1"}])  # noqa: SLF001 - what repositories build on
    session._put(facts, [{"id": "f", "body": "2"}])  # noqa: SLF001 - as above
    session._keep(facts, [{"id": "f", "body": "3"}, {"id": "g", "body": "4"}])  # noqa: SLF001 - as above
    rows = session._all(select(facts).order_by(facts.c.id))  # noqa: SLF001 - as above
    assert [values_of(row) for row in rows] == [{"id": "f", "body": "2"}, {"id": "g", "body": "4"}]


def test_a_row_that_is_all_key_is_left_alone(session: WriteSession) -> None:
    row = {"tenant": "t", "list_id": "w", "ref": "c"}
    session._put(work_list_member, [row])  # noqa: SLF001 - as above
    session._put(work_list_member, [row])  # noqa: SLF001 - as above
    assert session._first(select(work_list_member)) is not None  # noqa: SLF001 - as above


def test_every_way_to_fail_is_translated(session: WriteSession) -> None:
    broken = text("SELECT * FROM nowhere WHERE x = :x")
    for run in (session._all, session._bare, session._first, session._write):  # noqa: SLF001 - as above
        with pytest.raises(StoreUnavailableError, match="SQLITE_ERROR"):
            run(broken, {"x": 1})
    with pytest.raises(ConflictError):
        session._put(facts, [{"id": "f", "body": None}])  # noqa: SLF001 - as above


def test_bare_rows_are_tuples_and_a_failure_while_they_are_fetched_is_translated(
    session: WriteSession,
) -> None:
    rows = text("SELECT abs(:x - n) FROM (SELECT 0 AS n UNION ALL SELECT 1)")
    assert session._bare(rows, {"x": 5}) == [(5,), (4,)]  # noqa: SLF001 - as above
    with pytest.raises(StoreUnavailableError, match="SQLITE_ERROR"):
        session._bare(rows, {"x": 1 - 2**63})  # noqa: SLF001 - as above


def test_bare_rows_are_added_in_the_order_of_the_columns(session: WriteSession) -> None:
    session._add(facts, [("f", "1"), ("g", "2")])  # noqa: SLF001 - as above
    session._add(facts, [])  # noqa: SLF001 - as above
    rows = session._all(select(facts).order_by(facts.c.id))  # noqa: SLF001 - as above
    assert [values_of(row) for row in rows] == [{"id": "f", "body": "1"}, {"id": "g", "body": "2"}]
    with pytest.raises(ConflictError):
        session._add(facts, [("h", "3"), ("f", "4")])  # noqa: SLF001 - as above
