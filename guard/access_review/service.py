"""Recertification: twice a year somebody looks at who could see what, and a second person agrees.

A review is two entries and no row: what was looked at (the classes, the day, the policy, how many
people, the digest of what came out) with the signature, then the countersignature. A class is
overdue when the newest day that was reviewed and countersigned lies more than `LIFE` back.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from guard.access_review.reach import Group, access_to
from guard.access_review.roster import PAGE, Roster, policy_on, roster_on
from guard.clock import DAY, Clock, Micros
from guard.entries import BodyValue, EntryKind, NewEntry, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.in_force import Policies
from guard.ledger.entry import open_entry
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import LogQuery
from policies.bundle import Bundle
from policies.engine import Engine
from policies.model import Form, Role

# Six months: a review of a day holds for this long.
LIFE: Micros = 183 * DAY
MAX_STATEMENT = 2_000
ALL_CLASSES = "all"
_MAY_SIGN = frozenset({Role.ADMIN, Role.ANALYST})
_MAY_READ = _MAY_SIGN | {Role.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What somebody signed; `countersigned_by` is None until a second person agrees."""

    id: str
    field: str
    classes: tuple[str, ...]
    on: Micros
    policy: str
    people: int
    in_plain: int
    digest: str
    statement: str
    signed_by: str
    signed_at: Micros
    countersigned_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStatus:
    """When a class was last reviewed, and whether that is too long ago."""

    field_class: str
    reviewed_on: Micros | None
    due_at: Micros | None
    is_overdue: bool


class AccessReviews:
    """Signs, countersigns and lists reviews."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        policies: Policies,
    ) -> None:
        """Write through `committer`, read and open through `readers` and `vault`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._policies = vault, policies
        # An entry can be found only after its transaction, which two countersignatures of this
        # process could share; those of several processes follow one another.
        self._turn = asyncio.Lock()

    async def sign(self, principal: Principal, field: str, on: Micros, statement: str) -> Review:
        """Look at who could see a field (or `all`) on a day, and sign for it.

        Raises:
            AccessDeniedError: Only administrators and analysts sign.
            InvalidRequestError: The day lies ahead, or there is no statement.
            NotFoundError: The policy of the day has no such field, or is not known.
        """
        _require(principal, _MAY_SIGN)
        now = self._clock.now()
        if on > now:
            raise InvalidRequestError("`on` lies ahead: review a day that has been")
        if not 0 < len(statement.strip()) <= MAX_STATEMENT:
            raise InvalidRequestError(f"say in `statement` what you found: {MAX_STATEMENT} at most")

        def look(view: ReadView) -> tuple[Bundle, Roster]:
            then = policy_on(view, self._vault, principal.tenant, on)
            return then.bundle, roster_on(view, self._vault, principal.tenant, on)

        bundle, roster = await self._readers.read(look)
        classes = bundle.classes if field == ALL_CLASSES else (class_of(bundle, field),)
        groups = await asyncio.to_thread(_look_at, bundle, classes, roster)
        review = Review(
            id="rev-" + secrets.token_hex(6),
            field=field,
            classes=classes,
            on=on,
            policy=bundle.digest,
            people=len(roster.people),
            in_plain=len({n for g in groups if g.access.form is Form.PLAIN for n in g.names}),
            digest=hashlib.sha256(msgspec.json.encode(groups)).hexdigest(),
            statement=statement.strip(),
            signed_by=principal.id,
            signed_at=now,
        )
        await self._committer.run(lambda tx: _record(tx, principal, review, now, "signed"))
        return review

    async def countersign(self, principal: Principal, review_id: str) -> Review:
        """Agree, as a second person, with what somebody signed.

        Raises:
            AccessDeniedError: The role may not, or the two people are too close.
            NotFoundError: There is no such review.
            ConflictError: It is countersigned already.
        """
        _require(principal, _MAY_SIGN)

        def work(tx: Transaction) -> Review:
            tx.rows.settle()
            reviews = _reviews(tx.rows, self._vault, principal.tenant)
            found = [review for review in reviews if review.id == review_id]
            if not found:
                raise NotFoundError("no such review")
            if found[0].countersigned_by is not None:
                raise ConflictError("this review is countersigned already")
            signer = tx.rows.principal(principal.tenant, found[0].signed_by)
            require_second_person(signer, principal)
            review = replace(found[0], countersigned_by=principal.id)
            _record(tx, principal, review, self._clock.now(), "countersigned")
            return review

        async with self._turn:
            return await self._committer.run(work)

    async def reviews(self, principal: Principal) -> list[Review]:
        """All reviews of the caller's tenant, newest first.

        Raises:
            AccessDeniedError: The role may not read reviews.
        """
        _require(principal, _MAY_READ)
        return await self._readers.read(lambda view: _reviews(view, self._vault, principal.tenant))

    async def status(self, principal: Principal) -> tuple[ClassStatus, ...]:
        """Every class of the policy in force, with when it is to be reviewed again.

        Raises:
            AccessDeniedError: The role may not read reviews.
        """
        done = [r for r in await self.reviews(principal) if r.countersigned_by is not None]
        now = self._clock.now()
        found = []
        for cls in self._policies.of(principal.tenant).engine.bundle.classes:
            on = max((r.on for r in done if cls in r.classes), default=None)
            due = None if on is None else on + LIFE
            found.append(
                ClassStatus(
                    field_class=cls,
                    reviewed_on=on,
                    due_at=due,
                    is_overdue=due is None or now > due,
                )
            )
        return tuple(found)


def class_of(bundle: Bundle, field: str) -> str:
    """The class of a field, by its path; a class may be named itself.

    Raises:
        NotFoundError: The catalogue has neither, so nobody could see it.
    """
    if field in bundle.classes:
        return field
    rule = bundle.catalogue.fields.get(field)
    if rule is None:
        raise NotFoundError(
            "the policy of that day has no such field or class, so nobody could see it"
        )
    return rule.cls


def _look_at(bundle: Bundle, classes: tuple[str, ...], roster: Roster) -> tuple[Group, ...]:
    engine = Engine(bundle)
    return tuple(group for cls in classes for group in access_to(engine, cls, roster.people))


def _record(tx: Transaction, by: Principal, review: Review, at: Micros, state: str) -> None:
    body: dict[str, BodyValue] = {
        "review": review.id,
        "state": state,
        "field": review.field,
        "classes": list(review.classes),
        "on": review.on,
        "policy": review.policy,
        "people": review.people,
        "in_plain": review.in_plain,
        "digest": review.digest,
        "statement": review.statement,
        "signed_by": review.signed_by,
        "signed_at": review.signed_at,
    }
    event = msgspec.structs.replace(event_by(by, EntryKind.RECERTIFICATION, at), body=body)
    tx.record(NewEntry(kind=EntryKind.RECERTIFICATION, event=event))


class _Body(msgspec.Struct, kw_only=True):
    review: str
    state: str
    field: str
    classes: tuple[str, ...]
    on: int
    policy: str
    people: int
    in_plain: int
    digest: str
    statement: str
    signed_by: str
    signed_at: int


def _reviews(view: ReadView, vault: DetailVault, tenant: str) -> list[Review]:
    """Newest first: the countersignature of a review comes before its signature."""
    found: dict[str, Review] = {}
    for by, body in _bodies(view, vault, tenant):
        countersigned_by = by if body.state == "countersigned" else None
        review = Review(
            id=body.review,
            field=body.field,
            classes=body.classes,
            on=body.on,
            policy=body.policy,
            people=body.people,
            in_plain=body.in_plain,
            digest=body.digest,
            statement=body.statement,
            signed_by=body.signed_by,
            signed_at=body.signed_at,
            countersigned_by=countersigned_by,
        )
        found.setdefault(review.id, review)
    return list(found.values())


def _bodies(view: ReadView, vault: DetailVault, tenant: str) -> Iterator[tuple[str, _Body]]:
    query = LogQuery(tenant=tenant, kinds=(EntryKind.RECERTIFICATION,), limit=PAGE)
    while page := view.search(query):
        for stored in page:
            event = open_entry(stored, vault, {}).event
            yield event.agent, msgspec.convert(event.body, _Body)
        query = replace(query, before=page[-1].index)


def _require(principal: Principal, roles: frozenset[Role]) -> None:
    if principal.role not in roles:
        raise AccessDeniedError("an administrator or analyst reviews access; auditors may read it")
