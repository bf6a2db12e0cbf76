from guard.store import SqlStore
from guard.store.cases import work_list_row
from policies.model import Purpose
from tests.support.makers import TENANT, make_assignment, make_case, make_subject, make_work_list


def test_a_work_list_reads_its_purpose() -> None:
    from_table = {
        name: getattr(make_work_list(), name) for name in type(make_work_list()).__slots__
    } | {"purpose": "outreach"}
    assert work_list_row(from_table).purpose is Purpose.OUTREACH


def test_cases_of_two_tenants_may_share_an_id(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2", tenant="other")])
        rows.put_case(make_case())
        rows.put_case(make_case(tenant="other", ref="c2"))
        rows.put_assignment(make_assignment(tenant="other", agent_id="b1"))
        assert rows.assignments(TENANT, "k1") == []
        assert [row.agent_id for row in rows.assignments("other", "k1")] == ["b1"]
