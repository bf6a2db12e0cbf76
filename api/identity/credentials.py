"""Giving credentials out and taking them back; each is an entry of the ledger.

Used by the command line, the console, `/v1/api-keys` and `POST /v1/sign-in-tickets`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from api.identity import api_keys
from api.identity.scopes import ALL
from api.identity.sessions import Sessions
from guard.clock import Clock, Micros, wall_micros
from guard.entries import BodyValue, EntryKind, NewEntry, event_by, system_event
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Readers, Transaction
from guard.principals import Principal
from guard.rows import ApiKeyRow
from policies.model import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyPut:
    """A key to make: for which tool of which tenant, for what, until when (real time).

    `client` is the tool's id in the directory. `may_assert` lets the tool say for which agent it
    asks.
    """

    tenant: str
    client: str
    scopes: tuple[str, ...]
    may_assert: bool = False
    expires_at: Micros | None = None


class Credentials:
    """API keys, and `sessions` for the console."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        *,
        wall: Callable[[], Micros] = wall_micros,
    ) -> None:
        """Write through `committer`, read through `readers`; `wall` measures lives."""
        self._committer, self._readers = committer, readers
        self._clock, self._wall = clock, wall
        self.sessions = Sessions(committer, readers, clock=clock, wall=wall)

    async def create_api_key(
        self, put: ApiKeyPut, by: Principal | None = None
    ) -> tuple[ApiKeyRow, str]:
        """Make a key; its text is returned here and never again. `by` None: an operator's shell.

        Raises:
            AccessDeniedError: `by` asks for a key that is not a tool's, and so would be somebody.
            InvalidRequestError: A scope is unknown, there is none, or the end has passed.
            NotFoundError: The tool is not in the directory.
        """
        if not put.scopes or not set(put.scopes) <= ALL:
            raise InvalidRequestError(
                "name known scopes, such as views:write; `guard keys create --help` shows how"
            )
        if put.expires_at is not None and put.expires_at <= self._wall():
            raise InvalidRequestError("the key would have expired already: choose a later end")
        key_id, text = api_keys.new_key()
        row = ApiKeyRow(
            id=key_id,
            tenant=put.tenant,
            client=put.client,
            digest=api_keys.parse(text).digest,
            scopes=frozenset(put.scopes),
            may_assert=put.may_assert,
            expires_at=put.expires_at,
            revoked_at=None,
        )

        def work(tx: Transaction) -> None:
            tool = tx.rows.principal(put.tenant, put.client)
            if tool is None:
                raise NotFoundError("the tool is not in the directory: put it there first")
            if by is not None and tool.kind is not ActorKind.SERVICE:
                raise AccessDeniedError("a key is for a tool: people and AI agents use tokens")
            tx.rows.put_api_key(row)
            self._record(tx, row, "api key made", by)

        await self._committer.run(work)
        return row, text

    async def revoke_api_key(
        self, tenant: str, key_id: str, by: Principal | None = None
    ) -> ApiKeyRow:
        """Revoke a key; the next request with it is refused. `by` None: an operator's shell.

        Raises:
            NotFoundError: There is no such key.
            ConflictError: It was revoked before.
        """

        def work(tx: Transaction) -> ApiKeyRow:
            row = tx.rows.api_key(key_id)
            if row is None or row.tenant != tenant:
                raise NotFoundError("no such API key")
            if row.revoked_at is not None:
                raise ConflictError("this API key is revoked already")
            revoked = replace(row, revoked_at=self._wall())
            tx.rows.put_api_key(revoked)
            self._record(tx, revoked, "api key revoked", by)
            return revoked

        return await self._committer.run(work)

    async def mint_ticket(self, tenant: str, principal_id: str) -> str:
        """Make a console sign-in ticket from an operator's shell; see `Sessions.ticket`."""
        return await self.sessions.ticket(tenant, principal_id, None)

    def _record(self, tx: Transaction, row: ApiKeyRow, what: str, by: Principal | None) -> None:
        body: dict[str, BodyValue] = {
            "what": what,
            "key": row.id,
            "agent": row.client,
            "scopes": sorted(row.scopes),
            "may_assert": row.may_assert,
        }
        now = self._clock.now()
        event = (
            system_event(row.tenant, EntryKind.CREDENTIAL, now, body)
            if by is None
            else msgspec.structs.replace(event_by(by, EntryKind.CREDENTIAL, now), body=body)
        )
        tx.record(NewEntry(kind=EntryKind.CREDENTIAL, event=event))
