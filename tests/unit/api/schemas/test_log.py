import pytest
from pydantic import TypeAdapter, ValidationError

from api.schemas.log import CountOut, KindWord
from guard.entries import EntryKind
from guard.rows import LogCount


def test_every_kind_of_entry_can_be_asked_for_and_nothing_else() -> None:
    words = TypeAdapter(KindWord)
    for kind in EntryKind:
        assert words.validate_python(kind.name.lower()) == kind.name.lower()
    for wrong in ("VIEW", "", "view ", "alerts"):
        with pytest.raises(ValidationError):
            words.validate_python(wrong)


def test_a_count_says_whether_it_is_exact() -> None:
    assert CountOut.of(LogCount(count=1000, is_exact=False)).model_dump() == {
        "count": 1000,
        "is_exact": False,
    }
