"""Who may publish: one broker at a time among those that share a PostgreSQL.

The right is a lock that lives and dies with a session of its own. The server ends a session that
says nothing for `SILENT_MS`, so a broker that was stopped or cut off loses the right as one that
died does; whoever takes it over raises the fence. A checkpoint is stored over the same session, in
a transaction that finds the fence as it was left: a broker that lost the right stores nothing, even
if it has not noticed yet.
"""

from contextlib import suppress
from threading import Lock

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from guard.clock import Micros
from guard.errors import StoreUnavailableError
from guard.store.engine import holder_engine
from guard.store.failures import translated
from guard.store.tables import publishing
from guard.store.unit_of_work import SqlUnitOfWork

# An advisory lock of this store, as those of `guard.store.pending`.
_PUBLISHING = 0x7265_636F_7264_0003

_TRY = text("SELECT pg_try_advisory_lock(:lock) AS taken")
_UNLOCK = text("SELECT pg_advisory_unlock(:lock)")
_FENCE = select(publishing.c.fence).where(publishing.c.id == bindparam("only"))
_LOCK_FENCE = _FENCE.with_for_update()
_RAISE = (
    insert(publishing)
    .values(id=1, fence=1)
    .on_conflict_do_update(index_elements=["id"], set_={"fence": publishing.c.fence + 1})
    .returning(publishing.c.fence)
)


class SqlPublishing:
    """`ports.PublishingRight` over a PostgreSQL session."""

    def __init__(self, url: str) -> None:
        """Contend for the right to publish the store at `url`; nothing is opened yet."""
        self._engine = holder_engine(url)
        self._turn = Lock()
        self._held: Connection | None = None
        self._fence = 0

    def hold(self) -> bool:
        """See `PublishingRight.hold`."""
        with self._turn:
            try:
                self._look()
            except StoreUnavailableError:
                self._drop()
                with translated():
                    return self._take()
            return True

    def confirm(self) -> None:
        """See `PublishingRight.confirm`."""
        with self._turn:
            self._look()

    def put_checkpoint(self, size: int, root: bytes, note: bytes, at: Micros) -> None:
        """See `PublishingRight.put_checkpoint`."""
        with self._turn, translated():
            session = self._session()
            with session.begin():
                self._check(session.execute(_LOCK_FENCE, {"only": 1}).scalar())
                SqlUnitOfWork(session).put_checkpoint(size, root, note, at)

    def release(self) -> None:
        """See `PublishingRight.release`; the next one need not wait for the session's end."""
        with self._turn:
            if self._held is not None and not self._held.invalidated:
                with suppress(SQLAlchemyError), self._held.begin():
                    self._held.execute(_UNLOCK, {"lock": _PUBLISHING})
            self._drop()
            self._engine.dispose()

    def _take(self) -> bool:
        session = self._engine.connect()
        try:
            with session.begin():
                is_free = bool(session.execute(_TRY, {"lock": _PUBLISHING}).scalar())
                if is_free:
                    self._fence = int(session.execute(_RAISE).scalar_one())
        except BaseException:
            session.invalidate()
            session.close()
            raise
        if is_free:
            self._held = session
        else:
            session.close()
        return is_free

    def _look(self) -> None:
        session = self._session()
        with translated(), session.begin():
            self._check(session.execute(_FENCE, {"only": 1}).scalar())

    def _session(self) -> Connection:
        """The session that holds the lock: one that was cut would silently be opened anew."""
        if self._held is None or self._held.invalidated:
            raise StoreUnavailableError("another broker publishes the log now, leave it to that")
        return self._held

    def _check(self, fence: int | None) -> None:
        if fence != self._fence:
            raise StoreUnavailableError(
                "another broker has taken publishing over, leave it to that"
            )

    def _drop(self) -> None:
        """End the session, and with it the lock, whatever state it is in."""
        if self._held is not None:
            self._held.invalidate()
            self._held.close()
            self._held = None
