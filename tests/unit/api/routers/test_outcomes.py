import pytest

from api.routers.outcomes import outcome_of
from guard.errors import SourceError
from guard.views import Failed
from tests.unit.api.fakes import refused, served


@pytest.mark.parametrize(
    ("answer", "word"),
    [(served(), "permitted"), (refused("quota"), "quota"), (Failed(error=SourceError()), "failed")],
)
def test_an_outcome_is_a_word_of_a_closed_set(answer: object, word: str) -> None:
    assert outcome_of(answer) == word
