"""Cases and customers come in from the systems around the broker."""

import asyncio
from typing import Annotated

from fastapi import Request
from starlette.responses import JSONResponse, Response

from api.identity.scopes import Scope
from api.middleware import router
from api.problems import document
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.cases import (
    BatchItemOut,
    CaseBatchBody,
    CaseBatchOut,
    CaseBody,
    CaseOut,
    EnrolBody,
    EnrolOut,
)
from api.schemas.words import Answer, Ident
from guard.errors import GuardError
from guard.principals import Principal
from guard.rows import CaseRow

routes = router("cases")


@routes.put(
    "/v1/cases/{case_id}",
    response_model=CaseOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Put a case and its assignments",
)
async def put_case(
    request: Request,
    case_id: Ident,
    body: CaseBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.CASES_WRITE)],
) -> Response:
    """Insert or replace a case; a customer that is not known yet gets a reference."""

    async def act() -> Response:
        return described(CaseOut, await services.cases.put(principal, body.put(case_id)))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/cases:batch",
    response_model=CaseBatchOut,
    dependencies=REPEATABLE,
    responses=documents(403),
    summary="Put many cases, each on its own",
)
async def put_cases(
    request: Request,
    body: CaseBatchBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.CASES_WRITE)],
) -> Response:
    """Put each case; one that is refused does not stop the others."""

    async def act() -> Response:
        puts = (services.cases.put(principal, case.put(case.id)) for case in body.cases)
        results = await asyncio.gather(*puts, return_exceptions=True)
        items = [_item(result, request.state.request_id) for result in results]
        return described(CaseBatchOut, CaseBatchOut(items=items))

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/customers:enrol",
    response_model=EnrolOut,
    dependencies=REPEATABLE,
    responses=documents(403),
    summary="Get references of customers",
)
async def enrol(
    request: Request,
    body: EnrolBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.CUSTOMERS_WRITE)],
) -> Response:
    """Mint references of customers that are new, and find those of the others."""

    async def act() -> Response:
        refs = await services.enrolment.enrol(principal, [c.put() for c in body.customers])
        listed = [refs[c.source, c.source_key] for c in body.customers]
        return described(EnrolOut, EnrolOut(customers=listed))

    if any(customer.identifiers is not None for customer in body.customers):
        # With a kept reply goes a digest of its request, by which an address could be guessed.
        # Enrolling a second time changes nothing, so a repeat needs no kept reply.
        return await act()
    return await replies.once(request, principal, act)


def described(model: type[Answer], value: object) -> Response:
    """Write a service's answer in the words of its schema."""
    answer = model.model_validate(value)
    return JSONResponse(answer.model_dump(mode="json", by_alias=True))


def _item(result: CaseRow | BaseException, request_id: str) -> BatchItemOut:
    if isinstance(result, GuardError):
        return BatchItemOut(problem=document(result, request_id))
    if isinstance(result, BaseException):
        raise result
    return BatchItemOut(case=CaseOut.model_validate(result))
