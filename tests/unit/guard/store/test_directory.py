from guard.principals import Shift
from guard.store import SqlStore
from tests.support.makers import TENANT, make_principal, make_subject


def test_a_night_shift_comes_back(sqlite_store: SqlStore) -> None:
    shift = Shift(tz="America/New_York", start=1320, end=360, days=frozenset({5, 6, 7}))
    with sqlite_store.begin() as rows:
        rows.put_principal(make_principal(shift=shift, line=()))
        found = rows.principal(TENANT, "a1")
    assert found == make_principal(shift=shift, line=())


def test_an_erased_subject_keeps_its_row(sqlite_store: SqlStore) -> None:
    erased = make_subject("c1", wrapped_key=None, sealed_key=None)
    with sqlite_store.begin() as rows:
        rows.add_subjects([erased])
        rows.add_subjects([])
    with sqlite_store.read() as view:
        assert view.subjects({"c1"}) == {"c1": erased}
        assert view.subject(TENANT, "c1") is None
