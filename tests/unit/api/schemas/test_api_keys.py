import pytest
from pydantic import ValidationError

from api.schemas.api_keys import ApiKeyBody


def body(**changes: object) -> ApiKeyBody:
    values = {"client": "desk", "scopes": ["views:write"], "expires_at": "2026-09-22T10:00:00Z"}
    return ApiKeyBody.model_validate(values | changes)


def test_a_body_becomes_a_key_of_the_callers_tenant_that_asserts_nobody() -> None:
    put = body().put("acme")
    assert (put.tenant, put.client, put.scopes) == ("acme", "desk", ("views:write",))
    assert put.expires_at == 1_790_071_200_000_000
    assert put.may_assert is False


@pytest.mark.parametrize("scopes", [[], ["views:destroy"], "views:write"])
def test_a_key_names_known_scopes(scopes: object) -> None:
    with pytest.raises(ValidationError):
        body(scopes=scopes)
