"""Console sessions: a one-time ticket becomes a server-side session behind a cookie.

Ticket and cookie are 256 random bits; the store keeps SHA-256 digests, with a different prefix for
each, so that one can never pass for the other. A ticket is a session row that waits: it has no CSRF
token yet, lives five minutes and is swapped for a session in one transaction, so it works once.
Times here are real: a demo clock that runs faster must not sign anybody out.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from api.identity.errors import SignInError
from api.identity.principals import is_suspended, principal_from
from api.identity.scopes import BY_ROLE
from guard.clock import HOUR, MINUTE, Clock, Micros
from guard.entries import BodyValue, EntryKind, EventPart, NewEntry, event_by, system_event
from guard.errors import AccessDeniedError
from guard.ports import Committer, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import PrincipalRow, SessionRow
from policies.model import ActorKind

TICKET_LIFE: Micros = 5 * MINUTE
IDLE: Micros = 15 * MINUTE
LIFE: Micros = 8 * HOUR
# A visit is written down at most this often, so that reading pages does not become writing.
TOUCH: Micros = MINUTE
CLIENT = "console"
_NO_CSRF = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody at the console. A suspended one keeps only the page about themselves."""

    principal: Principal
    csrf: str
    is_suspended: bool


class Sessions:
    """Makes, finds and ends console sessions."""

    def __init__(
        self, committer: Committer, readers: Readers, *, clock: Clock, wall: Callable[[], Micros]
    ) -> None:
        """Write through `committer`, read through `readers`; `wall` measures lives."""
        self._committer, self._readers = committer, readers
        self._clock, self._wall = clock, wall

    async def ticket(self, tenant: str, principal_id: str, by: Principal | None) -> str:
        """Make a one-time ticket for somebody; `by` is who asked (None: an operator's shell).

        Who asks for themselves and has shown a second factor brings it along, with its age: the
        session is then as fresh as their token is, and no fresher.

        Raises:
            AccessDeniedError: They are not an active person, or are suspended.
        """
        text = secrets.token_urlsafe(32)
        now = self._wall()
        row = SessionRow(
            digest=_digest("ticket", text),
            tenant=tenant,
            principal_id=principal_id,
            csrf=_NO_CSRF,
            created_at=now,
            seen_at=now,
            mfa_at=_shown_by(by, tenant, principal_id),
        )

        def work(tx: Transaction) -> None:
            target = self._welcome(tx.rows, tenant, principal_id)
            tx.rows.put_session(row)
            event = (
                system_event(tenant, EntryKind.CREDENTIAL, self._clock.now(), {})
                if by is None
                else event_by(by, EntryKind.CREDENTIAL, self._clock.now())
            )
            _record(tx, EntryKind.CREDENTIAL, event, "ticket made", target.id)

        await self._committer.run(work)
        return text

    async def sign_in(self, ticket: str) -> str:
        """Swap a ticket for a session; the cookie's value.

        Raises:
            SignInError: The ticket is unknown, used or too old.
            AccessDeniedError: Its owner is gone or suspended.
        """
        cookie = secrets.token_urlsafe(32)
        now = self._wall()

        def work(tx: Transaction) -> None:
            waiting = tx.rows.session(_digest("ticket", ticket))
            if waiting is None or waiting.csrf or now - waiting.created_at >= TICKET_LIFE:
                raise SignInError("this sign-in link was used or is too old: get a new one")
            target = self._welcome(tx.rows, waiting.tenant, waiting.principal_id)
            tx.rows.drop_session(waiting.digest)
            session = SessionRow(
                digest=_digest("session", cookie),
                tenant=target.tenant,
                principal_id=target.id,
                csrf=secrets.token_urlsafe(32),
                created_at=now,
                seen_at=now,
                mfa_at=waiting.mfa_at,
            )
            tx.rows.put_session(session)
            who = _console_principal(target, session)
            event = event_by(who, EntryKind.SIGN_IN, self._clock.now())
            what = "signed in" if session.mfa_at is None else "signed in with a second factor"
            _record(tx, EntryKind.SIGN_IN, event, what, target.id)

        await self._committer.run(work)
        return cookie

    async def find(self, cookie: str) -> SignedIn:
        """Who the cookie belongs to, now.

        Raises:
            SignInError: The session is unknown, idle for too long, or too old.
            AccessDeniedError: Its owner has left.
        """
        digest = _digest("session", cookie)
        at = self._clock.now()

        def look(view: ReadView) -> tuple[SessionRow | None, PrincipalRow | None, bool]:
            row = view.session(digest)
            if row is None:
                return None, None, False
            target = view.principal(row.tenant, row.principal_id)
            return row, target, target is not None and is_suspended(view, target, at)

        row, target, is_held = await self._readers.read(look)
        now = self._wall()
        if row is None or not row.csrf or now - row.seen_at >= IDLE or now - row.created_at >= LIFE:
            raise SignInError("your session has ended: sign in again")
        if target is None or not target.is_active:
            raise AccessDeniedError("you are no longer in the directory")
        if now - row.seen_at >= TOUCH:
            seen = replace(row, seen_at=now)
            await self._committer.run(lambda tx: tx.rows.put_session(seen))
        return SignedIn(_console_principal(target, row), row.csrf, is_held)

    async def sign_out(self, cookie: str, principal: Principal) -> None:
        """End a session; nothing happens when it has ended already."""
        digest = _digest("session", cookie)

        def work(tx: Transaction) -> None:
            tx.rows.drop_session(digest)
            event = event_by(principal, EntryKind.SIGN_IN, self._clock.now())
            _record(tx, EntryKind.SIGN_IN, event, "signed out", principal.id)

        await self._committer.run(work)

    def _welcome(self, view: ReadView, tenant: str, principal_id: str) -> PrincipalRow:
        target = view.principal(tenant, principal_id)
        if target is None or not target.is_active or target.kind is not ActorKind.HUMAN:
            raise AccessDeniedError("only an active person of the directory signs in")
        if is_suspended(view, target, self._clock.now()):
            raise AccessDeniedError(
                "this access is suspended: your lead can tell you how to object"
            )
        return target


def check_same_origin(headers: Mapping[str, str], expected_host: str) -> None:
    """Refuse a form that another site sent, before its CSRF token is even looked at.

    Raises:
        AccessDeniedError: The browser says that the form came from elsewhere, or says nothing.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        _, _, host = headers.get("origin", "").partition("://")
        is_own = bool(host) and hmac.compare_digest(host.encode(), expected_host.encode())
    if not is_own:
        raise AccessDeniedError("this form came from another site: open the console and try again")


def check_csrf(signed_in: SignedIn, sent: str) -> None:
    """Compare a form's token with the session's.

    Raises:
        AccessDeniedError: They differ.
    """
    if not hmac.compare_digest(signed_in.csrf.encode(), sent.encode("utf-8", "replace")):
        raise AccessDeniedError("this form is too old: load the page again")


def _digest(use: str, text: str) -> bytes:
    return hashlib.sha256(f"{use}\0{text}".encode("utf-8", "replace")).digest()


def _shown_by(by: Principal | None, tenant: str, principal_id: str) -> Micros | None:
    """When they themselves showed a second factor; nobody shows one for somebody else."""
    if by is None or by.actor is not None or (by.tenant, by.id) != (tenant, principal_id):
        return None
    return by.mfa_at


def _console_principal(row: PrincipalRow, session: SessionRow) -> Principal:
    return principal_from(
        row,
        actor=None,
        client=CLIENT,
        session=f"console:{session.digest.hex()[:16]}",
        scopes=frozenset(scope.value for scope in BY_ROLE[row.role]),
        mfa_at=session.mfa_at,
    )


def _record(tx: Transaction, kind: EntryKind, event: EventPart, what: str, whom: str) -> None:
    body: dict[str, BodyValue] = {"what": what, "agent": whom}
    tx.record(NewEntry(kind=kind, event=msgspec.structs.replace(event, body=body)))
