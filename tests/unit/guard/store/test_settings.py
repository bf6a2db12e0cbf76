from guard.store import SqlStore


def test_facts_and_bundles_keep_their_first_content(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.put_facts({"f": {"on_shift": False}})
        rows.put_facts({"f": {"on_shift": True}})
        rows.put_facts({})
        rows.put_bundle("d", {"a": b"1"})
        rows.put_bundle("d", {"a": b"2"})
    with sqlite_store.read() as view:
        assert view.facts("f") == {"on_shift": False}
        assert view.bundle("d") == {"a": b"1"}
