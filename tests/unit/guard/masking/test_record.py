import copy
import pickle  # noqa: TID251 - to show that it is refused
from pathlib import Path

import pytest

from guard.errors import AccessDeniedError
from guard.masking import MaskedRecord, compile_plan
from guard.rows import RawRecord
from policies.model import Form
from tests.unit.guard.masking.support import catalogue, rule

GUARD = Path(__file__).parents[4] / "guard"


def masked() -> MaskedRecord:
    plan = compile_plan(catalogue(rule("plan", "a")), {"a": Form.PLAIN}, None)
    return plan.apply(RawRecord({"plan": "gold"}))


def test_nobody_but_a_plan_makes_one() -> None:
    with pytest.raises(AccessDeniedError):
        MaskedRecord(object(), {"a": 1}, 0)


def test_no_other_module_holds_the_token() -> None:
    users = {p.name for p in GUARD.rglob("*.py") if "_MAKER" in p.read_text()}
    assert users == {"record.py", "plans.py"}


def test_it_serialises_and_shows_nothing_else() -> None:
    record = masked()
    assert record.to_json_bytes() == b'{"plan":"gold"}'
    assert repr(record) == str(record) == "MaskedRecord(15 bytes, mask_errors=0)"
    assert not hasattr(record, "__dict__")


def test_it_does_not_change() -> None:
    record = masked()
    for name in ("mask_errors", "_body", "extra"):
        with pytest.raises(AttributeError):
            setattr(record, name, b"")
    with pytest.raises(AttributeError):
        del record.mask_errors


def test_it_is_neither_pickled_nor_copied() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(masked())
    with pytest.raises(TypeError):
        copy.copy(masked())
