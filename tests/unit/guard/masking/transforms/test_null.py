import json

import pytest

from guard.masking import compile_plan
from guard.rows import RawRecord
from policies.model import Form
from tests.unit.guard.masking.support import catalogue, mask, rule


@pytest.mark.parametrize("value", ["x", "", None, 3, True])
def test_every_value_is_null(value: str | bool | None) -> None:  # noqa: FBT001 - a value
    assert mask("null")(value) is None


@pytest.mark.parametrize("record", [{"a": "secret"}, {"a": None}, {}])
def test_the_field_is_there_and_null_whatever_the_record_holds(record: dict[str, object]) -> None:
    plan = compile_plan(catalogue(rule("a", "x", "null")), {"x": Form.MASK}, None)
    assert json.loads(plan.apply(RawRecord(record)).to_json_bytes()) == {"a": None}
    assert plan.source_fields == frozenset()
