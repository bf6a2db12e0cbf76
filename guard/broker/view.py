"""A view: one customer's record, as the policy shows it for the purpose."""

from guard.attempts import Attempt
from guard.broker.path import OnePath
from guard.broker.showing import showing_of
from guard.principals import Principal
from guard.views import Refused, Served, ViewRequest
from policies.model import Act


async def view(path: OnePath, principal: Principal, request: ViewRequest) -> Served | Refused:
    """See `Broker.view`."""

    async def once() -> Served | Refused | Attempt:
        decided = await path.decide(principal, Act.VIEW, request)
        if isinstance(decided, Refused):
            return decided
        return await path.serve(path.walked(decided), showing_of(decided), request.fields)

    return await path.settled(once)
