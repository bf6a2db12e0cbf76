"""From a credential to a `Principal`. The directory is authoritative for everything but the name.

A token or key says who asks, in which tenant, for what at most. Region, vendor, site, team, line,
role, kind and shift come from the directory row, on every request, so that whoever leaves or moves
does so at once. An AI agent acts for a person: `sub` is the person, `act.sub` the agent, and an
AI agent that brings no `act`, or that names itself as the person, is refused. Suspensions are read
with the rows: whoever is suspended keeps what is about themselves, and views, whose refusals the
broker logs. A tool that speaks for an agent must be in good standing itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.identity import api_keys
from api.identity.errors import CredentialError
from api.identity.scopes import ASSERTABLE, BY_ROLE, DELEGABLE, SUSPENDED, Scope, granted
from api.identity.tokens import TokenVerifier, VerifiedToken
from guard.clock import SECOND, Clock, Micros
from guard.errors import AccessDeniedError
from guard.ports import Readers, ReadView
from guard.principals import Principal
from guard.rows import PrincipalRow, ResponseKind
from guard.suspensions import principal_key
from policies.model import ActorKind

_BEARER = "bearer "
# Methods of RFC 8176 that are a second factor by themselves or say that there was one.
_SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face"})  # codespell:ignore fpt
_MAX_ID = 128


# Somebody's row, if there is one, and whether they are suspended.
_Found = tuple[PrincipalRow | None, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a checked credential claims about its bearer, before the directory is asked."""

    tenant: str
    subject: str
    actor: str | None
    client: str
    session: str
    scopes: frozenset[str]
    mfa_at: Micros | None
    is_asserted: bool
    is_own_key: bool = False


class Authenticator:
    """Makes principals from the `Authorization` header."""

    def __init__(
        self,
        readers: Readers,
        verifier: TokenVerifier | None,
        *,
        clock: Clock,
        wall: Callable[[], Micros],
    ) -> None:
        """Read keys and the directory from `readers`; without a `verifier`, keys only."""
        self._readers, self._verifier = readers, verifier
        self._clock, self._wall = clock, wall

    async def authenticate(self, authorization: str | None, asserted: str | None) -> Principal:
        """Check a credential; `asserted` is the agent that a tool says it speaks for.

        Raises:
            CredentialError: There is none, or it does not hold.
            AccessDeniedError: It holds and its bearer has no place here.
        """
        if authorization is None or authorization[: len(_BEARER)].lower() != _BEARER:
            raise CredentialError("send a bearer token or an API key in `Authorization`")
        text = authorization[len(_BEARER) :].strip()
        if text.startswith(api_keys.PREFIX):
            claim = await self._from_key(text, asserted)
        elif self._verifier is None:
            raise CredentialError("tokens are not set up here: use an API key")
        elif asserted is not None:
            raise AccessDeniedError("a token speaks for its own subject: leave the header out")
        else:
            claim = self._from_token(await self._verifier.verify(text))
        return await self._place(claim)

    async def service(self, tenant: str, name: str, client: str) -> Principal:
        """A service that proved itself by a signature instead of a credential: it writes cases.

        Raises:
            AccessDeniedError: The directory has no such active service, or it is suspended.
        """
        claim = Claim(
            tenant=tenant,
            subject=name,
            actor=None,
            client=client,
            session=client,
            scopes=frozenset({Scope.CASES_WRITE.value}),
            mfa_at=None,
            is_asserted=False,
        )
        return await self._place(claim)

    async def _from_key(self, text: str, asserted: str | None) -> Claim:
        presented = api_keys.parse(text)
        found = await self._readers.read(lambda view: view.api_key(presented.key_id))
        row = api_keys.check(found, presented, self._wall())
        if asserted is not None and not 0 < len(asserted) <= _MAX_ID:
            raise AccessDeniedError("the asserted agent has no usable id")
        if asserted is not None and not row.may_assert:
            raise AccessDeniedError("this key may not speak for an agent: ask for one that may")
        return Claim(
            tenant=row.tenant,
            subject=row.client if asserted is None else asserted,
            actor=None,
            client=row.client,
            session=f"key:{row.id}",
            scopes=row.scopes,
            mfa_at=None,
            is_asserted=asserted is not None,
            is_own_key=asserted is None,
        )

    def _from_token(self, token: VerifiedToken) -> Claim:
        claims = token.claims
        return Claim(
            tenant=_text(claims, "tenant"),
            subject=_text(claims, "sub"),
            actor=_actor(claims),
            client=_text(claims, "client_id" if "client_id" in claims else "azp"),
            session=f"jwt:{token.name}",
            scopes=frozenset(str(claims.get("scope", "")).split()),
            mfa_at=self._mfa_at(claims),
            is_asserted=False,
        )

    def _mfa_at(self, claims: Mapping[str, object]) -> Micros | None:
        """When the second factor was shown, on the domain clock: its real age is kept."""
        methods, at = claims.get("amr"), claims.get("auth_time")
        if not isinstance(methods, list) or isinstance(at, bool) or not isinstance(at, int | float):
            return None
        if not _SECOND_FACTORS & {m for m in methods if isinstance(m, str)}:
            return None
        age = max(0, self._wall() - int(at * SECOND))
        return self._clock.now() - age

    async def _place(self, claim: Claim) -> Principal:
        at = self._clock.now()

        def look(view: ReadView) -> tuple[_Found, ...]:
            ids = (claim.subject, claim.actor, claim.client)
            return tuple(_find(view, claim.tenant, i, at) for i in ids)

        found = await self._readers.read(look)
        (subject, is_held), (actor, is_actor_held), tool = found
        if claim.is_asserted:
            _check_tool(tool)
        if subject is None or not subject.is_active:
            raise AccessDeniedError("nobody active of that name is in the directory")
        if claim.is_own_key and subject.kind is ActorKind.HUMAN:
            # Whoever writes keys could be anybody: a person is who the identity provider says.
            raise AccessDeniedError("a key is a service's: a person signs in with a token")
        _check_actor(claim, subject, actor, tool[0])
        limits = [BY_ROLE[subject.role]]
        if is_held or is_actor_held:
            limits.append(SUSPENDED)
        if actor is not None:
            limits.append(DELEGABLE)
        if claim.is_asserted:
            limits.append(ASSERTABLE)
        return principal_from(
            subject,
            actor=claim.actor,
            client=claim.client,
            session=claim.session,
            scopes=granted(claim.scopes, *limits),
            mfa_at=claim.mfa_at,
        )


def principal_from(
    row: PrincipalRow,
    *,
    actor: str | None,
    client: str,
    session: str,
    scopes: frozenset[str],
    mfa_at: Micros | None,
) -> Principal:
    """Join a directory row and what the credential adds to it."""
    return Principal(
        id=row.id,
        tenant=row.tenant,
        region=row.region,
        vendor=row.vendor,
        site=row.site,
        team=row.team,
        line=row.line,
        role=row.role,
        kind=row.kind if actor is None else ActorKind.AI,
        actor=actor,
        client=client,
        session=session,
        scopes=scopes,
        shift=row.shift,
        mfa_at=mfa_at,
        desk=row.desk,
        log_scope=row.log_scope,
    )


def is_suspended(view: ReadView, row: PrincipalRow, at: Micros) -> bool:
    """Whether a suspension of `row` is in force at `at`, on the domain clock."""
    held = view.responses(row.tenant, key=principal_key(row), active_at=at)
    return any(response.kind is ResponseKind.SUSPEND for response in held)


def _find(view: ReadView, tenant: str, principal_id: str | None, at: Micros) -> _Found:
    row = None if principal_id is None else view.principal(tenant, principal_id)
    return row, row is not None and is_suspended(view, row, at)


def _check_tool(tool: _Found) -> None:
    """Refuse a tool that could not ask in its own name: it speaks for nobody else either."""
    row, suspended = tool
    if row is None or not row.is_active:
        raise AccessDeniedError("the tool of this key is not active in the directory")
    if suspended:
        raise AccessDeniedError("the tool of this key is suspended: it speaks for nobody")


def _check_actor(
    claim: Claim, subject: PrincipalRow, actor: PrincipalRow | None, client: PrincipalRow | None
) -> None:
    if subject.kind is ActorKind.AI:
        raise AccessDeniedError("an AI agent acts for a person: send a token with `act`")
    if claim.actor is None:
        if client is not None and client.kind is ActorKind.AI:
            raise AccessDeniedError("an AI agent acts for a person: send a token with `act`")
        return
    if actor is None or not actor.is_active or actor.kind is not ActorKind.AI:
        raise AccessDeniedError("the acting agent is not an active AI agent of the directory")
    if subject.kind is not ActorKind.HUMAN:
        raise AccessDeniedError("an AI agent acts for a person, not for a service")


def _actor(claims: Mapping[str, object]) -> str | None:
    """The outermost actor; what is nested inside it is history (RFC 8693, 4.1)."""
    if "act" not in claims:
        return None
    act = claims["act"]
    if not isinstance(act, dict):
        raise CredentialError("the token does not hold: get a new one")
    return _text(act, "sub")


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value or len(value) > _MAX_ID:
        raise CredentialError("the token does not say who asks: get one that does")
    return value
