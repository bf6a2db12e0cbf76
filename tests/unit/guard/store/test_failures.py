import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError, ResourceClosedError

from guard.errors import (
    CollisionError,
    ConfigurationError,
    ConflictError,
    DurabilityError,
    StoreUnavailableError,
)
from guard.store.failures import opening, translate, translated

CANARY = "canary-4711"


def test_a_failure_keeps_the_drivers_code_and_nothing_else() -> None:
    original = sqlite3.OperationalError(CANARY)
    original.sqlite_errorname = "SQLITE_FULL"
    error = translate(OperationalError(f"INSERT {CANARY}", {"ref": CANARY}, original))
    assert isinstance(error, StoreUnavailableError)
    assert str(error) == "the store failed with SQLITE_FULL, try again"


def test_a_log_that_the_disk_did_not_keep_is_no_outage_that_passes() -> None:
    original = sqlite3.OperationalError(CANARY)
    original.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    error = translate(OperationalError(CANARY, {}, original))
    assert isinstance(error, DurabilityError)
    assert CANARY not in str(error)


class DeadlockError(Exception):
    sqlstate = "40P01"


def test_two_that_waited_for_each_other_may_try_again() -> None:
    error = translate(OperationalError(CANARY, {}, DeadlockError(CANARY)))
    assert isinstance(error, CollisionError)
    assert CANARY not in str(error)


def test_a_violated_constraint_is_a_conflict() -> None:
    error = translate(IntegrityError(CANARY, {}, sqlite3.IntegrityError(CANARY)))
    assert isinstance(error, ConflictError)
    assert CANARY not in str(error)


def test_a_failure_without_a_code_is_still_told() -> None:
    with pytest.raises(StoreUnavailableError, match="no code") as caught, translated():
        raise ResourceClosedError(CANARY)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_IOERR_SHMOPEN", ConfigurationError),
        ("SQLITE_READONLY_DIRECTORY", ConfigurationError),
        ("SQLITE_FULL", ConfigurationError),
        ("SQLITE_BUSY", StoreUnavailableError),
        ("SQLITE_CORRUPT", StoreUnavailableError),
    ],
)
def test_a_file_that_cannot_be_written_at_its_opening_is_no_outage(
    code: str, kind: type[Exception]
) -> None:
    original = sqlite3.OperationalError(CANARY)
    original.sqlite_errorname = code
    with pytest.raises(kind, match=code) as caught, opening("ledger.db"):
        raise OperationalError(CANARY, {}, original)
    assert CANARY not in str(caught.value)
