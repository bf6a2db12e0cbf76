"""Every failure of a driver, in words that hold no SQL and no value.

SQLAlchemy's messages quote the statement and its parameters, so they never leave the store; the
driver's short code (`SQLITE_FULL`, `40001`) does, because an operator needs it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from guard.errors import (
    CollisionError,
    ConfigurationError,
    ConflictError,
    DurabilityError,
    GuardError,
    StoreUnavailableError,
)

# What SQLite says of a file that it may not write, or on a disk that takes nothing more.
_UNWRITABLE = ("SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_READONLY")


# The log was written and the disk did not keep it.
_LOST = frozenset({"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"})
# PostgreSQL: two transactions that waited for each other, or could not both be.
_COLLIDED = frozenset({"40P01", "40001"})


def translate(error: SQLAlchemyError) -> GuardError:
    """What to raise in place of `error`; raise it `from None`, for the cause holds values."""
    if isinstance(error, IntegrityError):
        return ConflictError("the store already holds something else in this place, read it again")
    code = _code(error)
    if code in _LOST:
        return DurabilityError(f"the store's disk failed with {code}, look at it and start again")
    if code in _COLLIDED:
        return CollisionError("another transaction stood in the way, try again")
    return StoreUnavailableError(f"the store failed with {code}, try again")


def _code(error: SQLAlchemyError) -> str:
    """The driver's own short code, which holds no value."""
    original = error.orig if isinstance(error, DBAPIError) else None
    for attribute in ("sqlite_errorname", "sqlstate"):
        code = getattr(original, attribute, None)
        if isinstance(code, str):
            return code
    return "no code of its own"


def is_in_transaction(connection: Connection) -> bool:
    """Whether the driver still has the transaction, whatever SQLAlchemy believes."""
    if connection.invalidated:
        return False
    raw = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        return bool(getattr(raw, "in_transaction", False))
    status = getattr(getattr(raw, "info", None), "transaction_status", None)
    return getattr(status, "name", "") == "INTRANS"


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLAlchemy raises in the block into the guard's own errors."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translate(error) from None


@contextmanager
def opening(file: str) -> Iterator[None]:
    """As `translated`, while a database is opened: then a disk that takes no writes is no outage.

    Raises:
        ConfigurationError: `file` cannot be written, which trying again will not mend.
    """
    try:
        yield
    except SQLAlchemyError as error:
        code = _code(error)
        if code.startswith(_UNWRITABLE):
            raise ConfigurationError(
                f"`{file}` cannot be written ({code}): make room on its disk, and give its folder"
                " to this user"
            ) from None
        raise translate(error) from None
