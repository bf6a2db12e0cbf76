"""The right to publish, contended for by two sessions of a real PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest

from guard.errors import ForkError, StoreUnavailableError
from guard.store import SqlStore
from guard.store.publishing import SqlPublishing
from tests.support.makers import NOON

pytestmark = pytest.mark.postgres
ROOT, NOTE = b"r" * 32, b"note"


@pytest.fixture
def pair(postgres_url: str) -> Iterator[tuple[SqlPublishing, SqlPublishing]]:
    one, two = SqlPublishing(postgres_url), SqlPublishing(postgres_url)
    yield one, two
    one.release()
    two.release()


def end_sessions(url: str) -> None:
    """As the server does with a session that says nothing."""
    with psycopg.connect(url, autocommit=True) as link:
        link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


def checkpoints(url: str) -> list[int]:
    with psycopg.connect(url) as link:
        return [row[0] for row in link.execute("SELECT size FROM checkpoint ORDER BY size")]


def test_one_at_a_time(pair: tuple[SqlPublishing, SqlPublishing], postgres_url: str) -> None:
    one, two = pair
    assert one.hold()
    assert one.hold()
    assert not two.hold()
    one.put_checkpoint(1, ROOT, NOTE, NOON)
    for act in (two.confirm, lambda: two.put_checkpoint(2, ROOT, NOTE, NOON)):
        with pytest.raises(StoreUnavailableError, match="another broker"):
            act()
    one.release()
    assert two.hold()
    two.put_checkpoint(2, ROOT, NOTE, NOON)
    assert checkpoints(postgres_url) == [1, 2]


def test_who_lost_its_session_stores_nothing_more(
    pair: tuple[SqlPublishing, SqlPublishing], postgres_url: str
) -> None:
    one, two = pair
    assert one.hold()
    end_sessions(postgres_url)
    for act in (one.confirm, lambda: one.put_checkpoint(1, ROOT, NOTE, NOON)):
        with pytest.raises(StoreUnavailableError):
            act()
    assert two.hold()
    assert not one.hold()
    two.put_checkpoint(2, ROOT, NOTE, NOON)
    assert checkpoints(postgres_url) == [2]


def test_a_raised_fence_is_noticed_by_who_still_has_the_session(
    pair: tuple[SqlPublishing, SqlPublishing], postgres_url: str
) -> None:
    one, _ = pair
    assert one.hold()
    with psycopg.connect(postgres_url, autocommit=True) as link:
        link.execute("UPDATE publishing SET fence = fence + 1")
    for act in (one.confirm, lambda: one.put_checkpoint(1, ROOT, NOTE, NOON)):
        with pytest.raises(StoreUnavailableError, match="taken publishing over"):
            act()
    assert checkpoints(postgres_url) == []
    assert one.hold()
    one.confirm()


def test_another_checkpoint_of_the_same_size_is_a_fork(
    pair: tuple[SqlPublishing, SqlPublishing],
) -> None:
    one, _ = pair
    assert one.hold()
    one.put_checkpoint(1, ROOT, NOTE, NOON)
    one.put_checkpoint(1, ROOT, NOTE, NOON)
    with pytest.raises(ForkError):
        one.put_checkpoint(1, b"x" * 32, NOTE, NOON)
    one.confirm()


def test_a_server_that_is_away_is_an_outage() -> None:
    one = SqlPublishing("postgresql://nobody@/nowhere?host=/nonexistent")
    with pytest.raises(StoreUnavailableError):
        one.hold()
    one.release()


def test_a_session_that_says_nothing_is_ended_by_the_server(postgres_url: str) -> None:
    with SqlStore(postgres_url):
        one = SqlPublishing(postgres_url)
        assert one.hold()
        session = one._held  # noqa: SLF001 - what the server was told of it
        assert session is not None
        with session.begin():
            told = session.exec_driver_sql("SHOW idle_session_timeout").scalar()
        assert told == "3s"
        one.release()
