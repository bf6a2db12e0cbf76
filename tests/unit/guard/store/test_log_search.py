"""How the statements of questions are written; what they answer is in the contracts."""

from sqlalchemy.dialects import postgresql

from guard.store import log_search
from guard.store.statements import is_among
from guard.store.tables import detail_event


def test_the_condition_of_the_index_by_actor_is_no_parameter() -> None:
    # A plan without values can use a partial index only if the statement itself says its condition.
    statement = log_search._OF_ACTOR.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]  # noqa: SLF001 - as the server gets it
    assert "detail_event.actor != ''" in str(statement)


def test_many_indexes_are_one_parameter_on_postgresql() -> None:
    among = is_among("postgresql", detail_event.c.idx, "indexes")
    compiled = among.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    assert str(compiled) == "detail_event.idx = ANY (%(indexes)s::BIGINT[])"
