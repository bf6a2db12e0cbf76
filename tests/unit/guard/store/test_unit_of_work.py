import pytest

from guard.errors import StoreUnavailableError
from guard.ports import ReadView, UnitOfWork
from guard.store import SqlStore
from tests.support.makers import TENANT, make_principal


def test_it_is_everything_that_the_ports_ask(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        changing: UnitOfWork = rows
        assert changing.head() == (0, ())
    with sqlite_store.read() as view:
        reading: ReadView = view
        assert reading.head() == (0, ())
        assert not hasattr(view, "append")


def test_savepoints_nest(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        with rows.savepoint():
            rows.put_principal(make_principal("a1"))
            with pytest.raises(StoreUnavailableError), rows.savepoint():
                fail_after(make_principal("a2").id, rows)
        assert [row.id for row in rows.principals(TENANT)] == ["a1"]


def fail_after(name: str, rows: UnitOfWork) -> None:
    rows.put_principal(make_principal(name))
    raise StoreUnavailableError("as if the disk were full")
