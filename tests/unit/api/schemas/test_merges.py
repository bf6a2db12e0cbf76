import pytest
from pydantic import ValidationError

from api.schemas.merges import MergeBody

BODY = {"keep": "a", "merge": "b", "case": "k", "reason": "same person"}


@pytest.mark.parametrize("name", sorted(BODY))
def test_nothing_of_a_merge_may_be_empty(name: str) -> None:
    with pytest.raises(ValidationError):
        MergeBody.model_validate(BODY | {name: ""})
    assert MergeBody.model_validate(BODY).keep == "a"
