"""Policies: proposed, read, approved, activated, rolled back, and tried on the log."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.policies import (
    BacktestBody,
    BacktestOut,
    PoliciesOut,
    PolicyBody,
    PolicyFilesOut,
    PolicyOut,
    RollbackBody,
)
from api.schemas.words import MAX_TIME, Ident
from guard.principals import Principal

routes = router("policies")


@routes.get("/v1/policies", responses=documents(403), summary="All policies ever proposed")
async def listed(
    services: Guarded, principal: Annotated[Principal, caller(Scope.POLICIES_READ)]
) -> PoliciesOut:
    """Policies on their way, in force and retired, oldest first."""
    rows = await services.activations.list(principal)
    return PoliciesOut(policies=[PolicyOut.model_validate(row) for row in rows])


@routes.get(
    "/v1/policies/{policy_id}", responses=documents(403, 404), summary="One policy and its files"
)
async def one(
    policy_id: Ident,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.POLICIES_READ)],
) -> PolicyFilesOut:
    """A policy with the text of its files, as it was proposed."""
    found = await services.activations.get(principal, policy_id)
    texts = {name: content.decode() for name, content in found.files.items()}
    return PolicyFilesOut(policy=PolicyOut.model_validate(found.row), files=texts)


@routes.post(
    "/v1/policies",
    response_model=PolicyOut,
    dependencies=REPEATABLE,
    responses=documents(403),
    summary="Propose a policy",
)
async def propose(
    request: Request,
    body: PolicyBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.POLICIES_WRITE)],
) -> Response:
    """Propose a bundle that has no faults; it decides nothing until two people have agreed."""

    async def act() -> Response:
        files = {name: text.encode() for name, text in body.files.items()}
        return described(
            PolicyOut, await services.activations.propose(principal, files, body.because)
        )

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/policies/{policy_id}/approve",
    response_model=PolicyOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Approve somebody else's policy, or review a rollback",
)
async def approve(
    request: Request,
    policy_id: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.POLICIES_APPROVE)],
) -> Response:
    """Approve as a second person, outside the proposer's reporting line."""

    async def act() -> Response:
        return described(PolicyOut, await services.activations.approve(principal, policy_id))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/policies/{policy_id}/activate",
    response_model=PolicyOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Put an approved policy in force",
)
async def activate(
    request: Request,
    policy_id: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.POLICIES_WRITE)],
) -> Response:
    """The next request is decided by it; the policy before is retired and kept."""

    async def act() -> Response:
        return described(PolicyOut, await services.activations.activate(principal, policy_id))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/policies/rollback",
    response_model=PolicyOut,
    dependencies=REPEATABLE,
    responses=documents(403, 409),
    summary="Go back to the policy before, at once",
)
async def rollback(
    request: Request,
    body: RollbackBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.POLICIES_WRITE)],
) -> Response:
    """An emergency for one person; a second one reviews it afterwards with `approve`."""

    async def act() -> Response:
        return described(PolicyOut, await services.activations.rollback(principal, body.because))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/policies/{policy_id}/backtest",
    responses=documents(403, 404, 409),
    summary="What a policy would have done to the log",
)
async def backtest(
    policy_id: Ident,
    body: BacktestBody,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.POLICIES_READ)],
) -> BacktestOut:
    """Decide every stored request again under this policy, and say what would have changed."""
    since = 0 if body.since is None else body.since
    until = MAX_TIME if body.until is None else body.until
    report = await services.backtests.run(principal, policy_id, since, until)
    return BacktestOut.model_validate(report)
