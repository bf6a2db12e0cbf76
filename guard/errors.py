"""What can go wrong in the guard, as one tree.

    GuardError
    ├── AccessDeniedError        the caller may not do this
    ├── NotFoundError            no such thing, or not the caller's to know of
    ├── ConflictError            the thing is in another state than the caller thinks
    ├── InvalidRequestError      the caller's words make no sense
    ├── ConfigurationError       refuse to start: names file and line where there is one
    ├── UnavailableError         no data now; safe to try again
    │   ├── StoreUnavailableError    the ledger cannot be written or read in time
    │   │   ├── TransactionLostError     all that shares the transaction is undone
    │   │   │   └── CollisionError       two transactions waited for each other: do it again
    │   │   └── DurabilityError          a disk lost what it had taken: write nothing more
    │   ├── SourceError              the customer's record cannot be fetched
    │   │   ├── NotDeliveredError        a system of the company took nothing
    │   │   └── DeliveryUnknownError     nobody knows whether it took it
    │   └── KeyUnavailableError      a key is missing or the KMS does not answer
    └── LedgerError
        ├── ProofError           a proof, signature or root does not hold
        └── ForkError            the log contradicts what was signed before

Each message is a lower-case sentence without a final stop that says what to do next and never holds
a customer's value. At the edge `api.problems` turns each class into one problem document.
"""


class GuardError(Exception):
    """Base of all expected failures."""


class AccessDeniedError(GuardError):
    """Raised when the caller's identity, scope or role does not allow the call."""


class NotFoundError(GuardError):
    """Raised when a thing does not exist or the caller may not know that it does."""


class ConflictError(GuardError):
    """Raised when a state change meets another state than it needs."""


class InvalidRequestError(GuardError):
    """Raised when a request is well-formed and still makes no sense."""


class ConfigurationError(GuardError):
    """Raised at start when a setting, bundle, key or mapping cannot be used."""


class UnavailableError(GuardError):
    """Raised when nothing can be shown now and a later try may succeed."""


class StoreUnavailableError(UnavailableError):
    """Raised when the store did not make an entry durable, or did not answer, in time."""


class TransactionLostError(StoreUnavailableError):
    """Raised when the database has undone the whole transaction, not only what failed in it.

    SQLite does so when a disk is full: nothing that shares the transaction may then be answered.
    """


class CollisionError(TransactionLostError):
    """Raised when the database has undone a transaction because another one stood in its way.

    Nothing of it landed, and the same again will do.
    """


class DurabilityError(StoreUnavailableError):
    """Raised when a disk failed to keep what was written: nobody knows what is on it.

    What the system had in memory may be gone, and a second try would succeed without it. So the
    process writes nothing more; a new one starts from what is really there.
    """


class SourceError(UnavailableError):
    """Raised when a record source failed, timed out or answered in an unknown shape."""


class NotDeliveredError(SourceError):
    """Raised when a contact or a notice was surely not taken; another try cannot double it."""


class DeliveryUnknownError(SourceError):
    """Raised when a contact or a notice was sent and no answer came: it may have been taken."""


class KeyUnavailableError(UnavailableError):
    """Raised when a key is missing, unreadable or its KMS does not answer."""


class LedgerError(GuardError):
    """Base of what is wrong with the log itself."""


class ProofError(LedgerError):
    """Raised when an inclusion, consistency, signature or commitment check fails.

    `index` is the first bad entry where one is known.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        """Keep the message, and the entry it is about."""
        super().__init__(message)
        self.index = index


class ForkError(LedgerError):
    """Raised when the store holds another history than the one already signed."""
