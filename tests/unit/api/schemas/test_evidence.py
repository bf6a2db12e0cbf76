import pytest
from pydantic import ValidationError

from api.schemas.evidence import MAX_INDEX, EvidenceBody
from guard.evidence.selecting import Question


def test_a_body_is_the_question_that_the_service_knows() -> None:
    body = EvidenceBody.model_validate(
        {"why": "w", "customer": "c", "until": "1970-01-01T00:00:02Z", "start": 1, "end": MAX_INDEX}
    )
    assert body.question() == Question(
        purpose="w", customer="c", until=2_000_000, start=1, end=MAX_INDEX
    )


@pytest.mark.parametrize(
    "more", [{"why": ""}, {"why": "a\nb"}, {"start": -1}, {"end": MAX_INDEX + 1}, {"purpose": "p"}]
)
def test_what_fits_no_field_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EvidenceBody.model_validate({"why": "w", **more})
