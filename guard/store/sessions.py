"""Credentials and what belongs to a caller's session: tools' keys, console sessions, replies."""

from dataclasses import asdict

import msgspec
from sqlalchemy import bindparam, delete, select

from guard.clock import Micros
from guard.rows import ApiKeyRow, SessionRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import api_key, console_session, idempotent_reply, outbox_position

_API_KEY = select(api_key).where(api_key.c.id == bindparam("id"))
_SESSION = select(console_session).where(console_session.c.digest == bindparam("digest"))
_DROP_SESSION = delete(console_session).where(console_session.c.digest == bindparam("of"))
_REPLY = select(
    idempotent_reply.c.request, idempotent_reply.c.status, idempotent_reply.c.body
).where(
    idempotent_reply.c.tenant == bindparam("tenant"),
    idempotent_reply.c.principal_id == bindparam("principal_id"),
    idempotent_reply.c.key == bindparam("key"),
)
_POSITION = select(outbox_position.c.position).where(
    outbox_position.c.worker == bindparam("worker")
)


class SessionReads(Session):
    """Finding credentials, stored replies and outbox positions."""

    def api_key(self, key_id: str) -> ApiKeyRow | None:
        """See `ReadView.api_key`."""
        row = self._first(_API_KEY, {"id": key_id})
        if row is None:
            return None
        scopes = msgspec.json.decode(row.scopes, type=frozenset[str])
        return ApiKeyRow(**values_of(row) | {"scopes": scopes})

    def session(self, digest: bytes) -> SessionRow | None:
        """See `ReadView.session`."""
        row = self._first(_SESSION, {"digest": digest})
        return None if row is None else SessionRow(**values_of(row))

    def idempotent(
        self, tenant: str, principal_id: str, key: str
    ) -> tuple[bytes, int, bytes] | None:
        """See `ReadView.idempotent`."""
        row = self._first(_REPLY, {"tenant": tenant, "principal_id": principal_id, "key": key})
        return None if row is None else (row.request, row.status, row.body)

    def outbox_position(self, worker: str) -> int:
        """See `ReadView.outbox_position`; 0 before the first item."""
        row = self._first(_POSITION, {"worker": worker})
        return 0 if row is None else int(row.position)


class SessionWrites(SessionReads, WriteSession):
    """Changing credentials, stored replies and outbox positions."""

    def put_api_key(self, row: ApiKeyRow) -> None:
        """See `UnitOfWork.put_api_key`."""
        scopes = msgspec.json.encode(sorted(row.scopes)).decode()
        self._put(api_key, [asdict(row) | {"scopes": scopes}])

    def put_session(self, row: SessionRow) -> None:
        """See `UnitOfWork.put_session`."""
        self._put(console_session, [asdict(row)])

    def drop_session(self, digest: bytes) -> None:
        """See `UnitOfWork.drop_session`."""
        self._write(_DROP_SESSION, {"of": digest})

    def put_idempotent(
        self, tenant: str, principal_id: str, key: str, reply: tuple[bytes, int, bytes], at: Micros
    ) -> None:
        """See `UnitOfWork.put_idempotent`; the first reply stays."""
        request, status, body = reply
        values = {"tenant": tenant, "principal_id": principal_id, "key": key, "at": at}
        self._keep(
            idempotent_reply, [values | {"request": request, "status": status, "body": body}]
        )

    def put_outbox_position(self, worker: str, position: int) -> None:
        """See `UnitOfWork.put_outbox_position`."""
        self._put(outbox_position, [{"worker": worker, "position": position}])
