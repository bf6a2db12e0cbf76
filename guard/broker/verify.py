"""A verification: whether what a caller says of one field is what the record holds.

Which fields, and which part of them, is said by the catalogue; how often it may be tried is bounded
for the agent and for the customer. The answer is yes or no and nothing else, its entry is durable
before it, and the comparison (`guard.masking.verification`) takes as long whatever it finds. A
refusal for spent tries tells nothing: the comparison made before it goes nowhere.
"""

from dataclasses import replace

from guard.admission import Admitted
from guard.attempts import Attempt, Refusal
from guard.broker.deciding import Decided
from guard.broker.path import OnePath
from guard.broker.showing import within
from guard.entries import EntryKind, event_by
from guard.masking.verification import verify as compare
from guard.principals import Principal
from guard.purposes.customer_checks import check, is_open_to
from guard.views import RefusalCode, Refused, Verified, VerifyRequest, ViewRequest
from policies.model import Act, Link

NOT_VERIFIABLE = Refusal(
    code=RefusalCode.NOT_VERIFIABLE,
    reasons=("this part of the field is not verified here: ask for another one",),
    determined_by=("not-verifiable",),
)


async def verify(path: OnePath, principal: Principal, request: VerifyRequest) -> Verified | Refused:
    """See `Broker.verify`."""
    asked = ViewRequest(
        customer=request.customer,
        purpose=request.purpose,
        case=request.case,
        device=request.device,
    )

    async def once() -> Verified | Refused | Attempt:
        return await _once(path, principal, asked, request)

    return await path.settled(once)


async def _once(
    path: OnePath, principal: Principal, asked: ViewRequest, request: VerifyRequest
) -> Verified | Refused | Attempt:
    decided = await path.decide(principal, Act.VERIFY, asked)
    if isinstance(decided, Refused):
        return decided
    known = decided.attempt.in_force.engine.bundle.catalogue.fields
    rule = known.get(request.field)
    inside = within(known, (request.field,), decided.limits.fields)
    if rule is None or not inside or request.part not in rule.verify:
        return await path.recording.refuse(decided.attempt, NOT_VERIFIABLE)
    attempt = decided.attempt.with_event(would=decided.would)
    attempt = attempt.with_body(field=rule.path, part=request.part)
    decided = replace(decided, attempt=attempt)
    matches, attempt = await path.fetching.fetched(
        decided,
        frozenset({rule.path.partition(".")[0].removesuffix("[]")}),
        lambda raw: compare(raw, rule, request.part, request.claim),
    )
    done = attempt.with_body(matched=matches)
    answer = await path.admitting.admit(attempt, decided.bindings, decided.counted_as, done)
    if not isinstance(answer, Admitted):
        return answer
    if matches:
        await _checked(path, attempt, decided, rule.identifier)
    return Verified(
        matches=matches,
        would="refused" if answer.over else decided.would,
        budgets=answer.statuses,
        receipt=answer.receipt,
    )


async def _checked(path: OnePath, attempt: Attempt, decided: Decided, said: str | None) -> None:
    """Take the customer of the case as checked, unless `said` is what the ticket itself brought."""
    case_id, situation = attempt.case, attempt.situation
    known = [situation.case, *(one.case for one in situation.own_cases)]
    ref, how = decided.subject.ref, said or "verification"
    named = [one for one in known if one is not None and one.id == case_id]
    if not any(is_open_to(one, ref, how) for one in named):
        return
    # A verification by somebody whom the case was never given to says nothing about the case.
    if decided.facts.link not in {Link.CLAIMED, Link.SELF_OPENED}:
        return
    event = event_by(attempt.principal, EntryKind.CASE, attempt.at)
    await path.parts.committer.run(lambda tx: check(tx, event, ref, (case_id,), how))
