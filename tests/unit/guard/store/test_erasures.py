from dataclasses import replace

from guard.entries import EntryKind
from guard.ledger.merkle import HASH_SIZE
from guard.rows import DueDetail, DueQuery, ErasureRow, ErasureState
from guard.store import SqlStore
from tests.support.makers import NOON, TENANT, make_entry, make_subject
from tests.support.sealing import PlainSealer

ROW = ErasureRow(
    id="er-1",
    tenant=TENANT,
    ref="c1",
    ground="child",
    state=ErasureState.PROPOSED,
    proposed_by="ana",
    proposed_at=NOON,
    bucket="b0",
    key_id="k0",
)
SUBJECTS = {ref: make_subject(ref) for ref in ("c1", "c2")}


def fill(store: SqlStore) -> None:
    sealer = PlainSealer()
    asked = (("c1", "a1"), ("c2", "a1"), ("c1", "a2"))
    with store.begin() as rows:
        rows.add_subjects(list(SUBJECTS.values()))
        rows.append(
            [
                sealer.seal(
                    make_entry(EntryKind.VIEW, ref, at=NOON + seq, agent=agent),
                    writer_seq=seq,
                    subjects=SUBJECTS,
                    next_n={},
                )
                for seq, (ref, agent) in enumerate(asked)
            ]
        )


def due(before: int, after: int = -1, limit: int = 10) -> DueQuery:
    return DueQuery(tenant=TENANT, kinds=(EntryKind.VIEW,), before=before, after=after, limit=limit)


def test_erasures_are_found_by_id_state_and_customer(sqlite_store: SqlStore) -> None:
    fill(sqlite_store)
    later = replace(ROW, id="er-2", state=ErasureState.DONE, proposed_at=NOON + 1)
    with sqlite_store.begin() as rows:
        rows.put_erasure(ROW)
        rows.put_erasure(later)
    with sqlite_store.read() as view:
        assert view.erasure(TENANT, "er-1") == ROW
        assert view.erasure("other", "er-1") is None
        assert view.erasures(TENANT, 9) == [later, ROW]
        assert view.erasures(TENANT, 1) == [later]
        assert view.erasures_of(TENANT, "c1") == [ROW, later]
        assert view.erasures_of(TENANT, "c2") == []
        assert view.erasures_in({ErasureState.DONE, ErasureState.HELD}) == [later]


def test_members_of_buckets_are_those_who_were_not_erased(sqlite_store: SqlStore) -> None:
    fill(sqlite_store)
    moved = replace(SUBJECTS["c2"], bucket="b0.1", wrapped_key=b"new")
    with sqlite_store.begin() as rows:
        rows.forget_subject(TENANT, "c1", b"blind")
        rows.rewrap_subjects([moved, replace(SUBJECTS["c1"], bucket="b0.1")])
    with sqlite_store.read() as view:
        assert view.members(["b0", "b0.1"]) == [moved]
        assert view.members([]) == view.members(["b0"]) == []
        assert view.living_after("", 5) == [moved]
        assert view.living_after("c2", 5) == []
        assert view.subjects({"c1"})["c1"].key_blind == b"blind"


def test_what_ran_out_is_found_and_cut_once(sqlite_store: SqlStore) -> None:
    fill(sqlite_store)
    with sqlite_store.begin() as rows:
        first = DueDetail(index=0, at=NOON, agent="a1", actor="", refs=("c1",))
        assert rows.due(due(NOON + 2, limit=1)) == [first]
        assert [one.index for one in rows.due(due(NOON + 2))] == [0, 1]
        assert [one.index for one in rows.due(due(NOON + 9, after=0))] == [1, 2]
        rows.cut_details([0])
        rows.cut_details([])
        assert [one.index for one in rows.due(due(NOON + 2))] == [1]
        cut, whole, _ = rows.entries(0, 3)
    assert len(cut.sealed_event or b"") == HASH_SIZE < len(whole.sealed_event or b"")
    assert [len(part or b"") for part in cut.sealed_subjects] == [HASH_SIZE]
    assert cut.searched is not None
    assert (cut.searched["agent"], cut.searched["at"]) == ("", NOON)


def test_a_customers_parts_are_cut_in_steps_and_nobody_elses(sqlite_store: SqlStore) -> None:
    fill(sqlite_store)
    with sqlite_store.begin() as rows:
        assert [rows.cut_parts_about("c1", 1) for _ in range(3)] == [1, 1, 0]
        sizes = [len(e.sealed_subjects[0] or b"") for e in rows.entries(0, 3)]
    assert [size == HASH_SIZE for size in sizes] == [True, False, True]


def test_a_customer_was_touched_by_an_agent_in_a_range(sqlite_store: SqlStore) -> None:
    fill(sqlite_store)
    with sqlite_store.read() as view:
        asked = (
            ("c1", "a2", None, None),
            ("c2", "a2", None, None),
            ("c2", None, NOON + 1, NOON + 2),
            ("c2", None, NOON + 2, None),
            ("c1", "a1", None, NOON),
        )
        found = [view.is_touched(TENANT, *one) for one in asked]
        assert not view.is_touched("other", "c1", None, None, None)
    assert found == [True, False, True, False, False]


def test_event_parts_of_an_epoch_are_sealed_anew_in_place(sqlite_store: SqlStore) -> None:
    fill(sqlite_store)
    with sqlite_store.begin() as rows:
        # `PlainSealer` names its epoch without a tenant.
        assert rows.parts_of_epoch("2026-11", NOON, NOON + 9, 5) == []
        rows.reseal_events([(1, f"{TENANT}/kept", b"h" * HASH_SIZE + b"anew")])
        (part,) = rows.parts_of_epoch(f"{TENANT}/kept", NOON, NOON + 9, 5)
        assert part[0] == 1
        assert part[3:] == (f"{TENANT}/kept", b"h" * HASH_SIZE + b"anew")
        assert rows.parts_of_epoch(f"{TENANT}/kept", NOON + 2, NOON + 9, 5) == []
