"""What can be wrong with a credential.

AccessDeniedError (guard)
└── CredentialError          no credential, or one that does not hold: 401
    └── SignInError          a console ticket or session does not hold
"""

from guard.errors import AccessDeniedError


class CredentialError(AccessDeniedError):
    """Raised when a token, key, ticket or session is missing, wrong, expired or revoked.

    The message never says which check failed in a way that helps to forge one.
    """


class SignInError(CredentialError):
    """Raised when a console ticket was used or has expired, or the session has ended."""
