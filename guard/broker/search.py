"""A search: an exact identifier in, at most one opaque reference out.

A hit and a miss are decided on the same facts, make the same reads and one commit. A hit that the
caller may not find (another region, a record that needs a case) is not told from a miss, in the
answer, in its statements or in its entry's size: the entry only says that something was withheld.
"""

import asyncio
from dataclasses import replace

from guard.admission import Admitted
from guard.attempts import Attempt
from guard.broker.charging import bindings_of
from guard.broker.deciding import SUSPENDED, UNKNOWN_PURPOSE
from guard.broker.gathering import facts_of, purpose_of, query
from guard.broker.path import OnePath
from guard.errors import SourceError
from guard.principals import Principal
from guard.rows import Situation, SubjectRow
from guard.views import Found, Refused, SearchRequest, ViewRequest
from policies.model import Act, Facts, Forbid, Link, Mode, Purpose, Tie, Tier

# A lookup gives at most two references: one is a hit, two are too many.
_MOST = 2


async def search(path: OnePath, principal: Principal, request: SearchRequest) -> Found | Refused:
    """See `Broker.search`."""

    async def once() -> Found | Refused | Attempt:
        return await _once(path, principal, request)

    return await path.settled(once)


async def _once(
    path: OnePath, principal: Principal, request: SearchRequest
) -> Found | Refused | Attempt:
    asked = ViewRequest(
        customer="", purpose=request.purpose, reason=request.reason, device=request.device
    )
    attempt = await path.gathering.attempted(principal, Act.SEARCH, asked)
    purpose = purpose_of(asked)
    if purpose is None:
        refusal = SUSPENDED if attempt.situation.is_suspended else UNKNOWN_PURPOSE
        return await path.recording.refuse(attempt, refusal)
    facts = _facts(attempt, purpose)
    attempt = await path.gathering.with_facts(attempt, facts)
    judged = await path.judge(attempt, facts)
    if isinstance(judged, Refused):
        return judged
    attempt, decision = judged
    would = "refused" if isinstance(decision, Forbid) else ""
    attempt = attempt.with_event(would=would)
    bindings = bindings_of(principal, purpose, attempt.situation.risk, attempt.in_force, Act.SEARCH)
    over = await path.admitting.peek(attempt, bindings, "")
    if over is not None:
        return over
    try:
        hits, withheld = await _hits(path, attempt, request, purpose)
    except BaseException as error:
        await asyncio.shield(path.recording.fail(attempt, error))
        raise
    hit = hits[0] if len(hits) == 1 else None
    done = _told(attempt, request.kind, hits, withheld=withheld)
    answer = await path.admitting.admit(attempt, bindings, "", done)
    if not isinstance(answer, Admitted):
        return answer
    return Found(
        customer=None if hit is None else hit.ref,
        narrow=len(hits) > 1,
        would="refused" if answer.over else would,
        budgets=answer.statuses,
        receipt=answer.receipt,
    )


def _facts(attempt: Attempt, purpose: Purpose) -> Facts:
    """The facts before anybody is found: an ordinary customer whom nothing links to the caller."""
    return replace(
        facts_of(attempt, attempt.situation, purpose),
        link=Link.NONE,
        tier=Tier.STANDARD,
        tie=Tie.NONE,
        same_tenant=True,
        same_region=True,
        customer_present=False,
    )


async def _hits(
    path: OnePath, attempt: Attempt, request: SearchRequest, purpose: Purpose
) -> tuple[list[SubjectRow], bool]:
    """The customers that the caller may find, and whether there are others."""
    if path.parts.lookup is None:
        raise SourceError("there is no index of identifiers: an operator must build one")
    refs = await path.parts.lookup.find(attempt.principal.tenant, request.kind, request.value)
    # As many reads for none as for two.
    padded = (*refs, "", "")[:_MOST]
    asks = [
        query(attempt.principal, replace(attempt.request, customer=ref), attempt.at)
        for ref in padded
    ]
    situations = await path.parts.readers.read(lambda view: view.situations(asks))
    known = [s for s in situations if s.subject is not None]
    open_to = [s.subject for s in known if s.subject and _may_find(attempt, s, purpose)]
    return open_to, len(open_to) < len(known)


def _may_find(attempt: Attempt, situation: Situation, purpose: Purpose) -> bool:
    """Whether the policy lets this caller find this customer, by what is really known of both."""
    if attempt.situation.mode is Mode.OBSERVE:
        return True
    facts = facts_of(attempt, situation, purpose)
    return not isinstance(attempt.in_force.engine.decide(facts, Act.SEARCH), Forbid)


def _told(attempt: Attempt, kind: str, hits: list[SubjectRow], *, withheld: bool) -> Attempt:
    """What the entry says: the kind, how many were told, and who if it was one."""
    hit = hits[0] if len(hits) == 1 else None
    more = {"withheld": True} if withheld else {}
    if hit is not None and hit.is_decoy:
        more["decoy"] = True
    done = attempt.with_body(kind=kind, result_count=len(hits), **more)
    return replace(done, situation=replace(attempt.situation, subject=hit))
