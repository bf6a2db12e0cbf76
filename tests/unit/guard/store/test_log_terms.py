from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from guard.clock import DAY
from guard.entries import EntryKind
from guard.rows import LogQuery
from guard.store import SqlStore
from guard.store.engine import parse, sqlite_url
from guard.store.log_terms import BLOCK, CATCH_UP, bits_of, places_in, shown_terms
from tests.support.makers import NOON, TENANT, make_entry
from tests.support.sealing import PlainSealer

SEALER = PlainSealer(b"writer-1")


def fill(store: SqlStore, first: int, count: int, **event: object) -> None:
    """Append entries of one team each, a second apart."""
    values: dict[str, Any] = {"team": "t1"} | event
    with store.begin() as rows:
        rows.append(
            [
                SEALER.seal(
                    make_entry(**({"at": NOON + n} | values)), writer_seq=n, subjects={}, next_n={}
                )
                for n in range(first, first + count)
            ]
        )


def run(path: Path, statement: str) -> None:
    engine = sa.create_engine(parse(sqlite_url(path)))
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def test_only_what_was_seen_is_a_term() -> None:
    assert set(shown_terms("address=redact contact=mask identity=plain secret=hide")) == {
        "field:contact",
        "field:identity",
        "clear:identity",
        "clear",
    }
    assert list(shown_terms("")) == []


def test_each_term_has_a_bit_for_each_of_its_entries() -> None:
    view, case = EntryKind.VIEW.value, EntryKind.CASE.value
    bits = bits_of(
        [
            (BLOCK, 1, "a", view, "eu", "v", "t", "p", "none", "contact=plain"),
            (BLOCK + 3, 2, "a", case, "eu", "v", "u", "", "", None),
            (BLOCK + 4, 2, "b", case, "eu", "v", "u", "", "", ""),
        ]
    )
    assert bits["a", "any"] == bits["a", "vendor:v"] == bits["a", "region:eu"] == 0b1001
    assert bits["a", "kind:view"] == bits["a", "clear"] == bits["a", "clear:contact"] == 1
    assert bits["a", "link:none"] == bits["a", "purpose:p"] == bits["a", "team:t"] == 1
    assert bits["b", "team:u"] == 1 << 4
    assert (bits["a", "look"], bits["a", "kind:case"]) == (1, 8)
    assert list(places_in(1, bits["a", "any"])) == [BLOCK + 3, BLOCK]


def test_a_block_is_indexed_when_it_is_full_in_whatever_pieces_it_came(
    sqlite_store: SqlStore,
) -> None:
    fill(sqlite_store, 0, BLOCK - 1)
    with sqlite_store.read() as view:
        assert view.indexed() == 0
    fill(sqlite_store, BLOCK - 1, 2, team="t2")
    with sqlite_store.read() as view:
        assert view.indexed() == BLOCK
        assert view.misindexed() is None
    fill(sqlite_store, BLOCK + 1, 2 * BLOCK)
    with sqlite_store.read() as view:
        assert view.indexed() == 3 * BLOCK
        assert view.misindexed() is None
        found = view.answer(LogQuery(tenant=TENANT, team="t2", kinds=(EntryKind.VIEW,)))
        assert [e.index for e in found.entries] == [BLOCK, BLOCK - 1]


def test_what_waits_after_an_upgrade_is_indexed_by_and_by(
    sqlite_store: SqlStore, sqlite_file: Path
) -> None:
    blocks = CATCH_UP + 1
    fill(sqlite_store, 0, blocks * BLOCK)
    run(sqlite_file, "DELETE FROM log_term")
    run(sqlite_file, "DELETE FROM log_block")
    query = LogQuery(tenant=TENANT, team="t1", limit=500, until=NOON + 10)
    with sqlite_store.read() as view:
        # Nothing is known of those times: every page reads a stretch, and says how far it came.
        page = view.answer(query)
        assert (page.entries, page.following) == ([], (blocks - 2) * BLOCK)
        assert [e.index for e in view.search(query)] == list(range(9, -1, -1))
    fill(sqlite_store, blocks * BLOCK, BLOCK)
    with sqlite_store.read() as view:
        assert view.indexed() == CATCH_UP * BLOCK
        assert [e.index for e in view.search(query)] == list(range(9, -1, -1))
        assert view.misindexed() is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_term SET places = zeroblob(128) WHERE block = 1 AND term = 'team:t1'",
        "DELETE FROM log_term WHERE block = 1 AND term = 'kind:view'",
        "UPDATE detail_event SET team = 't9' WHERE idx = 1500",
    ],
)
def test_terms_that_contradict_their_entries_are_found(
    sqlite_store: SqlStore, sqlite_file: Path, damage: str
) -> None:
    fill(sqlite_store, 0, 2 * BLOCK)
    run(sqlite_file, damage)
    with sqlite_store.read() as view:
        assert view.misindexed() == BLOCK


def test_terms_of_entries_that_are_gone_contradict_nothing(
    sqlite_store: SqlStore, sqlite_file: Path
) -> None:
    fill(sqlite_store, 0, BLOCK)
    run(sqlite_file, "DELETE FROM detail_event WHERE idx < 100")
    with sqlite_store.read() as view:
        assert view.misindexed() is None
        found = view.search(LogQuery(tenant=TENANT, team="t1", limit=2 * BLOCK))
        assert len(found) == BLOCK - 100


def test_an_entry_that_came_late_is_found_by_its_time(sqlite_store: SqlStore) -> None:
    fill(sqlite_store, 0, 3 * BLOCK)
    # Hours late, in the part that is not full yet, then in a full block.
    late = NOON + 5
    fill(sqlite_store, 3 * BLOCK, 1, at=late, team="late")
    query = LogQuery(tenant=TENANT, since=late, until=late + 1)
    with sqlite_store.read() as view:
        assert [e.index for e in view.search(query)] == [3 * BLOCK, 5]
    fill(sqlite_store, 3 * BLOCK + 1, 2 * BLOCK)
    with sqlite_store.read() as view:
        assert [e.index for e in view.search(query)] == [3 * BLOCK, 5]


def test_time_narrows_the_stretch_that_is_looked_at(sqlite_store: SqlStore) -> None:
    fill(sqlite_store, 0, 4 * BLOCK + 10)
    with sqlite_store.read() as view:
        size = view.head()[0]
        assert view.span(None, None, size) == (0, size)
        assert view.span(NOON + 2 * BLOCK, NOON + 2 * BLOCK + 5, size) == (2 * BLOCK, 2 * BLOCK + 5)
        assert view.span(NOON - 9, NOON - 5, size) == (0, 0)
        assert view.span(NOON + size - 2, None, size) == (4 * BLOCK, size)
        assert view.span(None, NOON + size + 9, size) == (0, size)


def test_both_ends_of_a_time_are_found_however_late_one_entry_came(sqlite_store: SqlStore) -> None:
    fill(sqlite_store, 0, BLOCK)
    # One came a day late: it says nothing of where the others of its time are.
    fill(sqlite_store, BLOCK, 1, at=NOON - DAY)
    fill(sqlite_store, BLOCK + 1, 30 * BLOCK - 1)
    since, until = NOON + 2 * BLOCK + 5, NOON + 2 * BLOCK + 15
    with sqlite_store.read() as view:
        size = view.head()[0]
        assert view.span(since, until, size) == (2 * BLOCK + 5, 2 * BLOCK + 15)
        page = view.answer(LogQuery(tenant=TENANT, since=since, until=until, limit=50))
        assert [e.index for e in page.entries] == list(range(2 * BLOCK + 14, 2 * BLOCK + 4, -1))
        assert page.following is None


def test_a_page_passes_over_what_is_too_new_after_one_that_came_late(
    sqlite_store: SqlStore,
) -> None:
    fill(sqlite_store, 0, 10 * BLOCK)
    fill(sqlite_store, 10 * BLOCK, 1, at=NOON + 7)
    for tail in (20, 2 * BLOCK):
        fill(sqlite_store, sized(sqlite_store), tail)
        query = LogQuery(tenant=TENANT, since=NOON + 5, until=NOON + 10, limit=50)
        with sqlite_store.read() as view:
            page = view.answer(query)
            assert [e.index for e in page.entries] == [10 * BLOCK, 9, 8, 7, 6, 5]
            assert page.following is None


def sized(store: SqlStore) -> int:
    with store.read() as view:
        return view.head()[0]
