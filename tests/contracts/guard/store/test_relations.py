"""Relations, ties, closed cases and deliveries, on both engines."""

from dataclasses import replace

from guard.rows import RelationRow, TieRow, WebhookDeliveryRow
from guard.store import SqlStore
from policies.model import Tie
from tests.support.makers import (
    NOON,
    TENANT,
    make_assignment,
    make_case,
    make_principal,
    make_subject,
)


def test_relations_are_kept_and_dropped_as_given(store: SqlStore) -> None:
    there = RelationRow(tenant=TENANT, ref="c1", other="c2", kind="household")
    back = replace(there, ref="c2", other="c1")
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2")])
        rows.put_relations([there, back])
        rows.put_relations([replace(there, kind="business")])
        assert rows.related(TENANT, "c1") == [replace(there, kind="business")]
        assert rows.related("other", "c1") == []
        rows.drop_relations([there])
        assert (rows.related(TENANT, "c1"), rows.related(TENANT, "c2")) == ([], [back])


def test_a_tie_is_replaced_and_none_removes_it(store: SqlStore) -> None:
    row = TieRow(tenant=TENANT, principal_id="a1", ref="c1", tie=Tie.FAMILY)
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_tie(row)
        rows.put_tie(replace(row, tie=Tie.SELF))
        assert rows.tie(TENANT, "a1", "c1") == replace(row, tie=Tie.SELF)
        rows.put_tie(replace(row, tie=Tie.NONE))
        assert rows.tie(TENANT, "a1", "c1") is None


def test_closed_cases_of_a_team_that_nobody_reviews_yet(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        rows.put_principal(make_principal("a1"))
        rows.put_principal(make_principal("b1", team="team-2"))
        for case_id, agent, closed_at in (
            ("k1", "a1", NOON),
            ("k2", "b1", NOON),
            ("k3", "a1", None),
            ("k4", "a1", NOON + 10),
            ("k5", "a1", NOON),
        ):
            rows.put_case(make_case(case_id, closed_at=closed_at))
            rows.put_assignment(make_assignment(case_id, agent_id=agent))
        rows.put_assignment(make_assignment("k2", agent_id="a1", how="qa"))
        rows.put_assignment(make_assignment("k5", agent_id="b1", how="qa"))
    with store.read() as view:
        found = view.closed_cases(TENANT, "team-1", NOON, NOON + 10, 10)
        assert [one.case.id for one in found] == ["k1"]
        assert found[0].assignments == (make_assignment("k1"),)
        assert len(view.closed_cases(TENANT, "team-1", NOON, NOON + 11, 1)) == 1
        assert view.closed_cases(TENANT, "team-9", NOON, NOON + 11, 9) == []


def test_deliveries_are_known_until_they_are_old(store: SqlStore) -> None:
    first = WebhookDeliveryRow(tenant=TENANT, source="zendesk", id="m1", at=10)
    second = replace(first, id="m2", at=30)
    with store.begin() as rows:
        rows.put_webhook_delivery(first, 0)
        rows.put_webhook_delivery(replace(first, at=20), 0)
        assert rows.webhook_delivery(TENANT, "zendesk", "m1") == replace(first, at=20)
        assert rows.webhook_delivery("other", "zendesk", "m1") is None
        rows.put_webhook_delivery(second, 21)
        assert rows.webhook_delivery(TENANT, "zendesk", "m1") is None
        assert rows.webhook_delivery(TENANT, "zendesk", "m2") == second
