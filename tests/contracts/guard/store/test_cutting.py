"""What is cut is out of the index too, on each engine."""

import sqlalchemy as sa

from guard.entries import EntryKind
from guard.ledger.merkle import HASH_SIZE
from guard.rows import LogQuery
from guard.store import SqlStore
from guard.store.log_terms import BLOCK
from tests.support.log import settle
from tests.support.makers import NOON, TENANT, make_entry
from tests.support.sealing import PlainSealer


def fill(store: SqlStore, count: int) -> None:
    """Views of two teams, in turn; every hundredth entry is a sign-in of another tenant."""
    sealer = PlainSealer(b"writer-1")
    with store.begin() as rows:
        rows.append(
            [
                sealer.seal(
                    make_entry(
                        EntryKind.SIGN_IN if n % 100 == 0 else EntryKind.VIEW,
                        at=NOON + n,
                        team=f"t{n % 2}",
                        tenant="other" if n % 100 == 0 else TENANT,
                        classes={"contact": "plain"},
                    ),
                    writer_seq=n,
                    subjects={},
                    next_n={},
                )
                for n in range(count)
            ]
        )
    settle(store)


def terms(url: str) -> dict[tuple[str, int], int]:
    """How many entries have each term of the tenant, by term and block."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT term, block, places FROM log_term WHERE tenant = :t"), {"t": TENANT}
        ).all()
    engine.dispose()
    return {(r.term, r.block): int.from_bytes(bytes(r.places)).bit_count() for r in rows}


def test_what_is_cut_has_no_terms_and_a_block_without_entries_has_none(
    store: SqlStore, store_url: str
) -> None:
    fill(store, 2 * BLOCK + 10)
    mine = [n for n in range(BLOCK) if n % 100]
    odd = [n for n in mine if n % 2]
    assert terms(store_url)["team:t1", 0] == len(odd)
    with store.begin() as rows:
        rows.cut_details(odd)
    left = terms(store_url)
    assert ("team:t1", 0) not in left
    assert left["clear:contact", 0] == left["any", 0] == len(mine) - len(odd)
    assert left["team:t1", 1] == BLOCK // 2
    with store.read() as view:
        assert view.misindexed() is None
        found = view.search(LogQuery(tenant=TENANT, team="t0", limit=3 * BLOCK))
        assert {e.index for e in found if e.index < BLOCK} == set(mine) - set(odd)
        assert view.search(LogQuery(tenant=TENANT, team="", limit=9)) == []
    with store.begin() as rows:
        # Some of them for the second time, and some that are in no finished block yet.
        rows.cut_details([*mine, 2 * BLOCK + 1])
    assert {block for _, block in terms(store_url)} == {1}
    with store.read() as view:
        assert view.misindexed() is None
        assert view.count(LogQuery(tenant="other"), 100).count == 21
        (cut,) = view.entries(2 * BLOCK + 1, 1)
    assert len(cut.sealed_event or b"") == HASH_SIZE


def test_what_was_cut_before_its_block_was_full_gets_no_terms(
    store: SqlStore, store_url: str
) -> None:
    fill(store, 50)
    with store.begin() as rows:
        rows.cut_details(range(50))
    sealer = PlainSealer(b"writer-2")
    with store.begin() as rows:
        rows.append(
            [
                sealer.seal(
                    make_entry(at=NOON + 99, team="t9"), writer_seq=n, subjects={}, next_n={}
                )
                for n in range(BLOCK)
            ]
        )
    settle(store)
    assert terms(store_url)["any", 0] == terms(store_url)["team:t9", 0] == BLOCK - 50
    assert ("team:", 0) not in terms(store_url)
    with store.read() as view:
        assert view.misindexed() is None


def test_of_a_cut_entry_its_time_kind_and_customer_remain(store: SqlStore, store_url: str) -> None:
    fill(store, 2)
    with store.begin() as rows:
        rows.cut_details([1])
    engine = sa.create_engine(store_url)
    with engine.connect() as connection:
        whole, cut = (
            row._asdict()
            for row in connection.execute(sa.text("SELECT * FROM detail_event ORDER BY idx"))
        )
    engine.dispose()
    assert whole["shown"] == "contact=plain"
    kept = {"idx", "at", "tenant", "kind", "epoch"}
    assert {name for name in cut if cut[name] not in ("", None, "[]")} == kept | {"sealed"}
    assert len(cut["sealed"]) == HASH_SIZE
