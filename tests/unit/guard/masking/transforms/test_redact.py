import json

from guard.masking import REGISTRY, compile_plan
from guard.rows import RawRecord
from policies.model import Form
from tests.unit.guard.masking.support import REDACTED, catalogue, mask, with_params


def test_redact_is_a_form_of_its_own_and_gives_the_constant() -> None:
    assert REGISTRY.find("redact").form is Form.REDACT
    assert {mask("redact")(value) for value in ("secret", None, 5, "")} == {REDACTED}


def test_the_constant_may_be_the_policys_own_and_stays_one() -> None:
    plan = compile_plan(
        catalogue(with_params("a", "x", "redact", {"text": "ask the second line"})),
        {"x": Form.MASK},
        None,
    )
    for record in ({"a": "secret"}, {"a": None}, {}):
        shown = json.loads(plan.apply(RawRecord(record)).to_json_bytes())
        assert shown == {"a": "ask the second line"}
    assert plan.source_fields == frozenset()
