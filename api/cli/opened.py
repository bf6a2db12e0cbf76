"""The composed service, opened for one command and closed behind it.

A SQLite ledger has one writer: while `guard serve` runs on it, a command that writes is refused
with a line that says so, and such a command then talks to the running service instead.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from api.identity.principals import principal_from
from api.identity.scopes import ALL
from api.settings import Settings, load_settings
from guard.errors import NotFoundError
from guard.principals import Principal

if TYPE_CHECKING:
    from api.bootstrap import Services


@asynccontextmanager
async def services(settings: Settings | None = None) -> "AsyncIterator[Services]":
    """Build, start and finally close the service that the settings describe.

    Raises:
        ConfigurationError: It cannot start, or another process writes this ledger.
    """
    from api.bootstrap import build  # noqa: PLC0415 - knows every room; most commands need few

    built = build(load_settings() if settings is None else settings)
    try:
        await built.start()
        yield built
    finally:
        await built.close()


async def somebody(opened: "Services", tenant: str, name: str) -> Principal:
    """Somebody of the directory, as who works on the data folder itself may speak for them.

    Raises:
        NotFoundError: Nobody active has that id.
    """
    row = await opened.directory.get(tenant, name)
    if row is None or not row.is_active:
        raise NotFoundError("nobody active of that id is in the directory")
    return principal_from(
        row, actor=None, client="cli", session="cli", scopes=frozenset(ALL), mfa_at=None
    )
