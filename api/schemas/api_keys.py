"""Keys of tools. A key's text leaves once, in the answer that makes it."""

from typing import Annotated

from pydantic import Field

from api.identity.credentials import ApiKeyPut
from api.identity.scopes import Scope
from api.schemas.words import Answer, Body, Ident, Instant, When


class ApiKeyBody(Body):
    """For which tool of the directory, for what, until when (real time)."""

    client: Ident
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_at: Instant

    def put(self, tenant: str) -> ApiKeyPut:
        """The same, for the service. A key that may speak for agents is an operator's to make."""
        return ApiKeyPut(
            tenant=tenant,
            client=self.client,
            scopes=tuple(scope.value for scope in self.scopes),
            expires_at=self.expires_at,
        )


class ApiKeyOut(Answer):
    """A key without its text."""

    id: str
    client: str
    scopes: list[str]
    may_assert: bool
    expires_at: When | None
    revoked_at: When | None


class NewApiKeyOut(Answer):
    """A new key. `key` is its text, which is stored nowhere and not shown again."""

    id: str
    key: str
