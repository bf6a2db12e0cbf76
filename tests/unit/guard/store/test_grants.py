"""Grants, codes and members; both engines run through the services' contracts."""

import pytest

from guard.rows import GrantKind, GrantRow, PresenceCodeRow
from guard.store import SqlStore
from guard.store import grants as module
from tests.support.makers import NOON, TENANT, make_subject, make_work_list


def make_grant(grant_id: str, **changes: object) -> GrantRow:
    values: dict[str, object] = {
        "id": grant_id,
        "tenant": TENANT,
        "kind": GrantKind.BREAK_GLASS,
        "agent_id": "a1",
        "ref": "c1",
        "reason_code": "system_outage",
        "starts_at": NOON,
        "ends_at": NOON + 10,
    }
    return GrantRow(**values | changes)  # type: ignore[arg-type] # the fields of a row, by name


def make_code(code_id: str = "code-1", **changes: object) -> PresenceCodeRow:
    values: dict[str, object] = {
        "id": code_id,
        "tenant": TENANT,
        "ref": "c1",
        "digest": b"d" * 32,
        "expires_at": NOON + 10,
        "tries": 0,
        "used_at": None,
    }
    return PresenceCodeRow(**values | changes)  # type: ignore[arg-type] # as above


def test_grants_are_found_by_state_and_agent(sqlite_store: SqlStore) -> None:
    kind = GrantKind.BREAK_GLASS
    old = make_grant("g1", starts_at=NOON - 99, ends_at=NOON - 90)
    done = make_grant("g2", starts_at=NOON - 98, ends_at=NOON - 90, reviewed_at=1, outcome="x")
    live, ours = make_grant("g3"), make_grant("g4", agent_id="a2", starts_at=NOON - 1)
    other = make_grant("g5", kind=GrantKind.CUSTOMER_PRESENT)
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        for row in (old, done, live, ours, other, make_grant("g6", tenant="other")):
            rows.put_grant(row)
    with sqlite_store.read() as view:
        assert view.grant(TENANT, "g5") == other
        assert view.grant("other", "g1") is None
        assert view.open_grants(TENANT, kind, NOON, 9) == [live, ours]
        assert view.open_grants(TENANT, kind, NOON, 1) == [live]
        assert view.unreviewed_grants(TENANT, kind, NOON + 10, 9) == [old, ours, live]
        assert view.overdue_grants(kind, NOON - 90, 9) == [old]
        assert [row.id for row in view.overdue_grants(kind, NOON + 10, 9)][:1] == ["g1"]
        assert {row.tenant for row in view.overdue_grants(kind, NOON + 10, 9)} == {TENANT, "other"}
        assert len(view.overdue_grants(kind, NOON + 10, 2)) == 2
        assert view.grants_of(TENANT, kind, "a1", NOON - 1) == [live, old]
        assert view.grants_of(TENANT, kind, "a1", NOON - 98) == [live, old]
        assert view.grants_of(TENANT, kind, "a1", NOON - 100) == [live, done, old]


def test_a_live_code_is_neither_used_nor_expired(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_presence_code(make_code("code-0", used_at=NOON))
        rows.put_presence_code(make_code())
    with sqlite_store.read() as view:
        assert view.live_code(TENANT, "c1", NOON) == make_code()
        assert view.live_code(TENANT, "c1", NOON + 10) is None
        assert view.live_code("other", "c1", NOON) is None


def test_members_come_each_once_piece_by_piece(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 4)
    refs = ["cB", "ca", "c_", "c-", "c0", "cZ"]
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject(ref) for ref in refs])
        rows.put_work_list(make_work_list(), ())
        rows.add_members(TENANT, "w1", refs[:4])
        rows.add_members(TENANT, "w1", refs)
        rows.add_members(TENANT, "w1", ())
        assert list(rows.work_list_members(TENANT, "w1")) == sorted(refs)
        assert list(rows.work_list_members("other", "w1")) == []


def test_references_are_found_by_many_blind_indexes(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2", source="erp")])
        assert rows.refs_by_blind(TENANT, "crm", ()) == {}
        blinds = {b"blind-c1", b"blind-c2", b"none"}
        assert rows.refs_by_blind(TENANT, "crm", blinds) == {b"blind-c1": "c1"}


def test_known_references_are_those_of_the_tenant(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2", tenant="other")])
        assert rows.known_refs(TENANT, {"c1", "c2", "c3"}) == {"c1"}
        assert rows.known_refs(TENANT, ()) == set()
