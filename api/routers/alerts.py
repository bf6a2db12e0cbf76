"""Reviewing alerts."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import (
    REPEATABLE,
    Cursor,
    Guarded,
    Kept,
    Pages,
    caller,
    documents,
)
from api.schemas.alerts import AlertOut, AlertPageOut, AlertPatch, EntryOut, EvidenceOut, names_of
from api.schemas.words import Ident
from guard.alerts import AlertChange
from guard.principals import Principal
from guard.rows import AlertState

routes = router("alerts")
DEFAULT_PAGE = 50


@routes.get("/v1/alerts", responses=documents(403), summary="List alerts, newest first")
async def page(
    services: Guarded,
    cursors: Pages,
    principal: Annotated[Principal, caller(Scope.ALERTS_READ)],
    state: Annotated[list[AlertState] | None, Query(max_length=4)] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = DEFAULT_PAGE,
) -> AlertPageOut:
    """A page of alerts; agents have pseudonyms until an alert is confirmed."""
    states = frozenset(state or AlertState)
    question = ("alerts", principal.tenant, principal.id, *sorted(states))
    before = cursors.read(cursor, *question)
    rows = await services.alerts.page(principal, states=states, before=before, limit=limit)
    # A page may be shorter than asked for because what concerns the caller is left out.
    following = cursors.make(rows[-1].id, *question) if rows else None
    return AlertPageOut(alerts=[AlertOut.of(row) for row in rows], next=following)


@routes.get("/v1/alerts/{alert_id}", responses=documents(403, 404), summary="One alert")
async def get(
    alert_id: Ident,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.ALERTS_READ)],
) -> AlertOut:
    """An alert with its reasons and contributions."""
    return AlertOut.of(await services.alerts.get(principal, alert_id))


@routes.patch(
    "/v1/alerts/{alert_id}",
    response_model=AlertOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Review an alert",
)
async def change(
    request: Request,
    alert_id: Ident,
    body: AlertPatch,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.ALERTS_REVIEW)],
) -> Response:
    """Change state, label, note or assignee; what is absent stays."""

    async def act() -> Response:
        wanted = AlertChange(
            state=None if body.state is None else AlertState(body.state),
            label=body.label,
            note=body.note,
            assignee=body.assignee,
        )
        row = await services.alerts.change(principal, alert_id, wanted)
        return described(AlertOut, AlertOut.of(row))

    return await replies.once(request, principal, act)


@routes.get(
    "/v1/alerts/{alert_id}/evidence",
    responses=documents(403, 404),
    summary="The entries that raised an alert",
)
async def evidence(
    alert_id: Ident,
    services: Guarded,
    principal: Annotated[Principal, caller(Scope.ALERTS_READ)],
) -> EvidenceOut:
    """Entries with their ledger indexes, each of which can be proven."""
    names = names_of(await services.alerts.get(principal, alert_id))
    entries = await services.alerts.evidence(principal, alert_id)
    return EvidenceOut(entries=[EntryOut.of(entry, names) for entry in entries])
