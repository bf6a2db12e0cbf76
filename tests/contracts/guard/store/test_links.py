"""What may link somebody to a customer is read alike on both engines."""

from dataclasses import replace

import pytest
from sqlalchemy import insert

from guard.clock import DAY
from guard.ports import UnitOfWork
from guard.rows import GrantKind, GrantRow, RelationRow, TieRow
from guard.store import SqlStore
from guard.store.engine import writer_engine
from guard.store.tables import access_grant
from policies.model import Tie
from tests.support.makers import (
    NOON,
    TENANT,
    make_assignment,
    make_case,
    make_query,
    make_subject,
)

UNNAMED = make_query(case_id=None)


def relate(rows: UnitOfWork, one: str, other: str, kind: str = "household") -> None:
    rows.put_relations(
        [
            RelationRow(tenant=TENANT, ref=a, other=b, kind=kind)
            for a, b in ((one, other), (other, one))
        ]
    )


def test_own_cases_come_with_everybody_who_works_on_them(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2")])
        for case_id, ref in (("k1", "c1"), ("k2", "c2"), ("k3", "c1")):
            rows.put_case(make_case(case_id, ref=ref))
        rows.put_assignment(make_assignment("k1"))
        rows.put_assignment(make_assignment("k1", agent_id="a2", how="transfer", from_at=NOON))
        rows.put_assignment(make_assignment("k2"))
        rows.put_assignment(make_assignment("k3", agent_id="bot"))
    with store.read() as view:
        mine, ours, theirs = view.situations(
            [UNNAMED, replace(UNNAMED, actor_id="bot"), replace(UNNAMED, agent_id="a9")]
        )
    assert [one.case.id for one in mine.own_cases] == ["k1"]
    assert [a.agent_id for a in mine.own_cases[0].assignments] == ["a1", "a2"]
    assert [one.case.id for one in ours.own_cases] == ["k1", "k3"]
    assert ours.own_open_cases == ("k1", "k3")
    assert theirs.own_cases == ()


def test_a_case_that_the_agent_opened_is_none_of_the_open_ones(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_case(make_case("k1", opened_by="a1"))
        rows.put_assignment(make_assignment("k1"))
        (found,) = rows.situations([UNNAMED])
    assert (found.own_open_cases, len(found.own_cases)) == ((), 1)


@pytest.mark.parametrize("how", ["self", "qa"])
def test_what_an_agent_took_or_reviews_is_none_of_the_open_ones(store: SqlStore, how: str) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_case(make_case("k1"))
        rows.put_assignment(make_assignment("k1", how=how))
        (found,) = rows.situations([UNNAMED])
    assert (found.own_open_cases, len(found.own_cases)) == ((), 1)


def test_related_cases_are_the_agents_own_open_ones_of_relatives(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject(f"c{n}") for n in range(1, 5)])
        relate(rows, "c1", "c2")
        relate(rows, "c1", "c3", "business")
        for case_id, ref, more in (
            ("mine", "c2", {}),
            ("closed", "c2", {"closed_at": NOON}),
            ("opened", "c3", {"opened_by": "a1"}),
            ("theirs", "c3", {}),
            ("stranger", "c4", {}),
        ):
            rows.put_case(make_case(case_id, ref=ref, **more))
            agent = "a2" if case_id == "theirs" else "a1"
            rows.put_assignment(make_assignment(case_id, agent_id=agent))
        rows.put_case(make_case("review", ref="c3"))
        rows.put_assignment(make_assignment("review", how="qa"))
    asked = [UNNAMED, replace(UNNAMED, agent_id="a2"), replace(UNNAMED, tenant="other")]
    with store.read() as view:
        found = [one.related_cases for one in view.situations(asked)]
    assert found == [("mine",), ("theirs",), ()]


def test_a_tie_is_the_persons_own_to_this_customer(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2")])
        rows.put_tie(TieRow(tenant=TENANT, principal_id="a1", ref="c1", tie=Tie.FAMILY))
        asked = [UNNAMED, replace(UNNAMED, ref="c2"), replace(UNNAMED, agent_id="a2")]
        assert [one.tie for one in rows.situations(asked)] == [Tie.FAMILY, Tie.NONE, Tie.NONE]


def test_grants_are_in_force_for_their_own_agent_and_time(store: SqlStore, store_url: str) -> None:
    grant = GrantRow(
        id="g1",
        tenant=TENANT,
        kind=GrantKind.CUSTOMER_PRESENT,
        agent_id="bot",
        ref="c1",
        reason_code="call",
        starts_at=NOON,
        ends_at=NOON + 10,
    )
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
    engine = writer_engine(store_url)
    with engine.begin() as connection:
        values = {name: getattr(grant, name) for name in type(grant).__slots__}
        connection.execute(insert(access_grant), [values | {"kind": grant.kind.value}])
    engine.dispose()
    acting = replace(UNNAMED, actor_id="bot")
    with store.read() as view:
        found = view.situations(
            [
                acting,
                replace(acting, at=NOON - 1),
                replace(acting, at=NOON + 10),
                UNNAMED,
                replace(acting, tenant="other"),
            ]
        )
    assert [one.grants for one in found] == [(grant,), (), (), (), ()]


def test_queries_of_different_times_do_not_mix(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_case(make_case("k1"))
        rows.put_assignment(make_assignment("k1", to_at=NOON + DAY))
        now, later = rows.situations([UNNAMED, replace(UNNAMED, at=NOON + 2 * DAY)])
    assert (now.own_open_cases, later.own_open_cases) == (("k1",), ())
