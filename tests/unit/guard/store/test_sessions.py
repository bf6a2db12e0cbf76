from guard.rows import ApiKeyRow
from guard.store import SqlStore


def test_a_tool_without_scopes_has_none(sqlite_store: SqlStore) -> None:
    row = ApiKeyRow(
        id="k",
        tenant="acme",
        client="desk",
        digest=b"d",
        scopes=frozenset(),
        may_assert=False,
        expires_at=None,
        revoked_at=None,
    )
    with sqlite_store.begin() as rows:
        rows.put_api_key(row)
        assert rows.api_key("k") == row


def test_an_outbox_begins_at_zero(sqlite_store: SqlStore) -> None:
    with sqlite_store.read() as view:
        assert view.outbox_position("nobody") == 0
