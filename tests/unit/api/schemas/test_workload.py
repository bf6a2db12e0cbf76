from api.schemas.workload import OwnCaseOut
from tests.support.makers import make_case


def test_a_case_of_ones_own_names_its_customer_by_reference() -> None:
    shown = OwnCaseOut.of(make_case("k1", ref="ref-1")).model_dump(mode="json")
    assert (shown["id"], shown["customer"]) == ("k1", "ref-1")
    assert shown["opened_at"].endswith("Z")
