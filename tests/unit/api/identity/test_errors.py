"""Whoever has no credential that holds is asked for one; whoever has one is told no."""

import pytest

from api.identity.errors import CredentialError, SignInError
from api.problems import problem_of
from guard.errors import AccessDeniedError, GuardError


@pytest.mark.parametrize("kind", [CredentialError, SignInError])
def test_a_credential_that_does_not_hold_is_a_denial_of_access(kind: type[GuardError]) -> None:
    assert issubclass(kind, AccessDeniedError)


def test_a_console_session_is_a_credential() -> None:
    assert issubclass(SignInError, CredentialError)


@pytest.mark.parametrize("kind", [CredentialError, SignInError])
def test_the_edge_asks_for_another_credential(kind: type[GuardError]) -> None:
    assert problem_of(kind("sign in again")).status == 401
