"""The only SQL: everything that the ports of `guard.ports` ask of a store, on two engines."""

from guard.store.readers import ThreadedReaders
from guard.store.sql_store import SqlReader, SqlStore

__all__ = ["SqlReader", "SqlStore", "ThreadedReaders"]
