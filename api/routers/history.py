"""Histories: what customers, and those who work here, read of the log about themselves."""

from typing import Annotated

from fastapi import Query

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.dependencies import Cursor, Guarded, Pages, caller, documents
from api.schemas.history import HistoryOut, OwnHistoryAnswer, OwnHistoryOut
from api.schemas.words import Ident, Instant
from guard.history.customer import MAX_PAGE
from guard.principals import Principal

routes = router("history")
DEFAULT_PAGE = 50


@routes.get(
    "/v1/customers/{customer}/history",
    responses=documents(403, 404),
    summary="A customer's own history",
)
async def of_customer(
    customer: Ident,
    services: Guarded,
    cursors: Pages,
    principal: Annotated[Principal, caller(Scope.HISTORY_READ)],
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> HistoryOut:
    """Who looked at the record, by role, newest first; signed. For portals, which assert whom.

    Reading it is an entry of the log too.
    """
    question = ("history", principal.tenant, principal.id, customer)
    position = cursors.read(cursor, *question)
    before = None if position is None else int(position)
    page = await services.histories.page(principal, customer, before=before, limit=limit)
    following = None if page.next is None else cursors.make(str(page.next), *question)
    return HistoryOut.of(page, following)


@routes.get("/v1/me/history", responses=documents(403), summary="What is logged about yourself")
async def mine(
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.OWN_HISTORY_READ)],
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
) -> OwnHistoryOut:
    """One's own acts by day, who looked at one's log by role, responses, retention; signed.

    The last four weeks unless a time is named, at most 92 days. Reading it is an entry too.
    """
    found = await services.own_histories.mine(principal, since=since, until=until)
    answer = OwnHistoryAnswer.of(found)
    document = services.own_histories.sign(principal, found, answer.model_dump(mode="json"))
    return OwnHistoryOut(**dict(answer), document=document.decode())
