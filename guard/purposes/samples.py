"""Quality samples: closed cases drawn at random, each for a reviewer who had no part in it.

Nobody picks whom to look at. The seed is made after the request came and stands in the entry, with
a digest of the cases that it was drawn from: whoever has that list can draw again and must find the
same cases for the same reviewers. A case is drawn once; the right to look at it ends by itself.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Readers, Transaction
from guard.principals import Principal
from guard.purposes.cases import assign
from guard.rows import AssignmentRow, KnownCase, PrincipalRow
from policies.model import ActorKind

MAX_SIZE = 200
MAX_REVIEWERS = 20
# A team closes fewer cases in a month; what is beyond it would only make the list longer.
MAX_DRAWN_FROM = 20_000
LONGEST: Micros = 92 * DAY
# Out of fewer cases whoever names the team and the hours also names the customer.
MIN_POOL = 20
# Reviews wait for a quiet hour, and are not left open for ever.
OPEN_FOR: Micros = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePut:
    """How many closed cases of a team to draw, out of which time, for whom to review."""

    team: str
    since: Micros
    until: Micros
    size: int
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A case and who reviews it."""

    case: KnownCase
    reviewer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn: the seed, how many there were to draw from, and until when it is open."""

    seed: str
    drawn_from: int
    ends_at: Micros
    drawn: tuple[tuple[str, str], ...]


class Samples:
    """Draws samples."""

    def __init__(
        self, committer: Committer, readers: Readers, clock: Clock, min_pool: int = MIN_POOL
    ) -> None:
        """Find closed cases through `readers`, write through `committer`.

        A sample is drawn from at least `min_pool` cases that its reviewers had no part in.
        """
        self._committer, self._readers, self._clock = committer, readers, clock
        self._min_pool = min_pool

    async def draw(self, principal: Principal, put: SamplePut) -> Sample:
        """Draw a sample and assign it; all of it is recorded in the same transaction.

        Raises:
            AccessDeniedError: The credential lacks `samples:write`, or reviews itself.
            InvalidRequestError: Size, time or a reviewer makes no sense, or there are too few cases
                to draw from.
            NotFoundError: There is no case to draw.
        """
        if "samples:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not draw samples: `samples:write`")
        _check(principal, put)
        # Outside the one writer's transaction: it may read through a month of cases.
        found = await self._readers.read(
            lambda view: view.closed_cases(
                principal.tenant, put.team, put.since, put.until, MAX_DRAWN_FROM
            )
        )
        seed = secrets.token_hex(16)
        return await self._committer.run(lambda tx: self._draw(tx, principal, put, (seed, found)))

    def _draw(
        self,
        tx: Transaction,
        by: Principal,
        put: SamplePut,
        lot: tuple[str, Sequence[KnownCase]],
    ) -> Sample:
        seed, found = lot
        reviewers = [_reviewer(tx, by, put, name) for name in sorted(set(put.reviewers))]
        cases = [one for one in found if _eligible(one, reviewers)]
        if not cases:
            raise NotFoundError("there is no such case to draw: choose a longer time")
        if len(cases) < self._min_pool:
            raise InvalidRequestError(
                f"a sample is drawn from at least {self._min_pool} closed cases of the team: "
                "choose a longer time"
            )
        drawn = draw(seed, cases, reviewers, put.size)
        at = self._clock.now()
        subjects = tuple(
            SubjectPart(customer=one.case.case.ref, case=one.case.case.id) for one in drawn
        )
        event = msgspec.structs.replace(
            event_by(by, EntryKind.SAMPLE, at),
            body={
                "team": put.team,
                "since": put.since,
                "until": put.until,
                "seed": seed,
                "drawn_from": len(cases),
                "digest": _digest(cases),
                "size": len(drawn),
                "per_mille": len(drawn) * 1_000 // len(cases),
                "reviewers": [one.id for one in reviewers],
                "ends_at": at + OPEN_FOR,
            },
        )
        tx.record(NewEntry(kind=EntryKind.SAMPLE, event=event, subjects=subjects))
        for one in drawn:
            row = AssignmentRow(
                case_id=one.case.case.id,
                tenant=by.tenant,
                agent_id=one.reviewer,
                how="qa",
                from_at=at,
                to_at=at + OPEN_FOR,
            )
            assign(tx, event_by(by, EntryKind.ASSIGNMENT, at), one.case.case, row)
        return Sample(
            seed=seed,
            drawn_from=len(cases),
            ends_at=at + OPEN_FOR,
            drawn=tuple((one.case.case.id, one.reviewer) for one in drawn),
        )


def draw(
    seed: str, cases: Sequence[KnownCase], reviewers: Sequence[PrincipalRow], size: int
) -> list[Drawn]:
    """The sample of a seed: the same arguments in any order give the same one.

    Cases come in the order of a keyed hash of their id; each goes to the reviewer with the fewest
    so far, of equal ones by the same kind of hash.
    """
    load: Counter[str] = Counter()
    drawn = []
    for known in sorted(cases, key=lambda one: _rank(seed, one.case.id))[:size]:
        case_id = known.case.id
        free = [one.id for one in _eligible(known, reviewers)]
        chosen = min(free, key=lambda who: (load[who], _rank(seed, case_id, who)))
        load[chosen] += 1
        drawn.append(Drawn(known, chosen))
    return drawn


def _rank(seed: str, *words: str) -> bytes:
    return hashlib.sha256("\0".join((seed, *words)).encode()).digest()


def _digest(cases: Sequence[KnownCase]) -> str:
    names = sorted(one.case.id for one in cases)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _eligible(known: KnownCase, reviewers: Sequence[PrincipalRow]) -> list[PrincipalRow]:
    """The reviewers who had no part in a case."""
    involved = {a.agent_id for a in known.assignments} | {known.case.opened_by}
    return [one for one in reviewers if one.id not in involved]


def _reviewer(tx: Transaction, by: Principal, put: SamplePut, name: str) -> PrincipalRow:
    row = tx.rows.principal(by.tenant, name)
    if row is None or not row.is_active or row.kind is not ActorKind.HUMAN:
        raise InvalidRequestError("a reviewer is an active person of the directory")
    if row.team == put.team:
        raise InvalidRequestError("a reviewer belongs to another team than the one reviewed")
    return row


def _check(by: Principal, put: SamplePut) -> None:
    if not 0 < put.size <= MAX_SIZE:
        raise InvalidRequestError(f"a sample holds 1 to {MAX_SIZE} cases")
    if not 0 < put.until - put.since <= LONGEST:
        raise InvalidRequestError("a sample is drawn from more than nothing and at most 92 days")
    if not 0 < len(set(put.reviewers)) <= MAX_REVIEWERS:
        raise InvalidRequestError(f"name 1 to {MAX_REVIEWERS} reviewers")
    if by.id in put.reviewers:
        raise AccessDeniedError("whoever draws a sample does not review it: name somebody else")
