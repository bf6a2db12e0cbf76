"""A verification: whether what a caller says of one field is what the record holds.

Which fields, and which part of them, is said by the catalogue; how often it may be tried is bounded
for the agent and for the customer. The answer is yes or no and nothing else, its entry is durable
before it, and the comparison (`guard.masking.verification`) takes as long whatever it finds. A
refusal for spent tries tells nothing: the comparison made before it goes nowhere.
"""

from dataclasses import replace

from guard.admission import Admitted
from guard.attempts import Attempt, Refusal
from guard.broker.path import OnePath
from guard.broker.showing import within
from guard.masking.verification import verify as compare
from guard.principals import Principal
from guard.views import RefusalCode, Refused, Verified, VerifyRequest, ViewRequest
from policies.model import Act

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
    matches = await path.fetching.fetched(
        decided,
        frozenset({rule.path.partition(".")[0].removesuffix("[]")}),
        lambda raw: compare(raw, rule, request.part, request.claim),
    )
    done = attempt.with_body(matched=matches)
    answer = await path.admitting.admit(attempt, decided.bindings, decided.counted_as, done)
    if not isinstance(answer, Admitted):
        return answer
    return Verified(
        matches=matches,
        would="refused" if answer.over else decided.would,
        budgets=answer.statuses,
        receipt=answer.receipt,
    )
