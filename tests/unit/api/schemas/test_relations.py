from api.schemas.relations import RelationBody
from guard.purposes.relations import RelationPut


def test_a_body_becomes_the_services_words() -> None:
    body = RelationBody.model_validate({"kind": "business", "customers": ["a", "b"], "over": True})
    assert body.put() == RelationPut(kind="business", customers=("a", "b"), is_over=True)
