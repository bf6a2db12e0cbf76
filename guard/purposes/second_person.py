"""The rule that some things need a second person who does not stand in the first one's line."""

from guard.errors import AccessDeniedError
from guard.principals import Principal
from guard.rows import PrincipalRow
from policies.model import ActorKind


def require_second_person(
    first: PrincipalRow | None, second: Principal, *, whose: str = "proposer"
) -> None:
    """Refuse unless `second` is another person, with another manager, outside the other's line.

    No service or AI agent is a second person: whoever runs it would approve what they proposed.

    `whose` says in the error what the first one did.

    Raises:
        AccessDeniedError: The two are the same person or too close to check each other.
    """
    if first is None:
        raise AccessDeniedError("whoever proposed this has left: propose it again")
    if second.kind is not ActorKind.HUMAN or second.actor is not None:
        raise AccessDeniedError("a person must approve: sign in as one, without an agent between")
    if first.id == second.id:
        raise AccessDeniedError("a second person must approve: ask somebody else")
    if (
        second.id in first.line
        or first.id in second.line
        or (first.line and second.line and first.line[0] == second.line[0])
    ):
        raise AccessDeniedError(
            f"the approver stands in the {whose}'s reporting line: ask somebody outside it"
        )
