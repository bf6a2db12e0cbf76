"""A ticket queue: many customers at once, each decided on its own facts and always masked.

Every customer has an entry and an outcome of its own; one that cannot be shown does not disturb the
others. The tries run side by side, so that they share their reads, their fetch and their commit.
"""

import asyncio
from dataclasses import replace

from guard.attempts import Attempt
from guard.broker.deciding import Decided
from guard.broker.path import OnePath
from guard.broker.showing import Showing, showing_of
from guard.errors import GuardError, InvalidRequestError
from guard.principals import Principal
from guard.views import Failed, ListRequest, Refused, Served, ViewRequest
from policies.model import Act, Form

MAX_LISTED = 50
# Why a field is covered here that a view would show as it is.
QUEUE_REASON = "a queue shows every field in part only: view the record itself for more"


async def listing(
    path: OnePath, principal: Principal, request: ListRequest
) -> tuple[Served | Refused | Failed, ...]:
    """See `Broker.listing`."""
    if not 0 < len(request.customers) <= MAX_LISTED:
        raise InvalidRequestError(f"a queue holds 1 to {MAX_LISTED} customers: ask in parts")
    asked = ViewRequest(
        customer="", purpose=request.purpose, fields=request.fields, device=request.device
    )
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_one(path, principal, replace(asked, customer=ref)))
            for ref in request.customers
        ]
    return tuple(task.result() for task in tasks)


async def _one(
    path: OnePath, principal: Principal, request: ViewRequest
) -> Served | Refused | Failed:
    async def once() -> Served | Refused | Attempt:
        decided = await path.decide(principal, Act.LIST, request)
        if isinstance(decided, Refused):
            return decided
        return await path.serve(decided, _covered(decided), request.fields)

    try:
        return await path.settled(once)
    except GuardError as error:
        return Failed(error=error)


def _covered(decided: Decided) -> Showing:
    """The forms of the decision, and none of them plain: whatever the mode, a queue is masked."""
    showing = showing_of(decided)
    forms = {cls: min(form, Form.MASK) for cls, form in showing.forms.items()}
    capped = {cls: QUEUE_REASON for cls, form in showing.forms.items() if form is Form.PLAIN}
    # What is masked here in mode *observe* is no would-be.
    would = "" if showing.would == "masked" else showing.would
    explanations = {**showing.explanations, **capped}
    return replace(showing, forms=forms, explanations=explanations, would=would)
