"""Reviewing alerts: the queue, one alert, what an agent did hour by hour, and acting on it."""

from typing import Annotated, Literal

from fastapi import Form, Query
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.console.charts import HOURS, by_hour
from api.console.session import SignedForm, verify, visitor
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX, page
from api.routers.dependencies import Guarded, Pages
from api.schemas.alerts import AlertOut, EntryOut, names_of
from api.schemas.words import MAX_PROSE, Ident, Prose
from guard.alerts import AlertChange
from guard.clock import HOUR
from guard.entries import LOOKS
from guard.errors import InvalidRequestError, NotFoundError
from guard.rows import AlertRow, AlertState, LogQuery

routes = router("console")
PAGE = 50
# As many entries as a timeline draws; a table of more is not read.
TIMELINE = 200
UNFINISHED = frozenset({AlertState.OPEN, AlertState.ACKNOWLEDGED})
SHOWN = {"open": UNFINISHED, "all": frozenset(AlertState)}

Reviewer = Annotated[SignedIn, visitor(Scope.ALERTS_READ)]


class ReviewForm(SignedForm):
    """What a reviewer decided."""

    state: Literal["acknowledged", "confirmed", "dismissed"]
    label: Literal["", "malicious", "policy_violation", "honest", "unknown"] = ""
    note: Annotated[str, StringConstraints(max_length=MAX_PROSE)] = ""


class SuspendForm(SignedForm):
    """Suspending somebody: two deliberate steps, a reason and an end."""

    pseudonym: Ident
    reason: Prose
    hours: Annotated[int, Field(ge=1, le=720)]
    confirm: Literal["", "yes"] = ""


@routes.get(PREFIX + "/alerts", include_in_schema=False)
async def queue(
    services: Guarded,
    cursors: Pages,
    signed_in: Reviewer,
    show: Annotated[Literal["open", "all"], Query()] = "open",
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """The queue, newest first."""
    who = signed_in.principal
    question = ("console-alerts", who.tenant, who.id, show)
    rows = await services.alerts.page(
        who, states=SHOWN[show], before=cursors.read(cursor, *question), limit=PAGE
    )
    following = cursors.make(rows[-1].id, *question) if len(rows) == PAGE else None
    return page(
        "alerts.html",
        signed_in=signed_in,
        alerts=[AlertOut.of(row) for row in rows],
        show=show,
        following=following,
    )


@routes.get(PREFIX + "/alerts/{alert_id}", include_in_schema=False)
async def alert(alert_id: Ident, services: Guarded, signed_in: Reviewer) -> Response:
    """One alert: sentences, contributions, evidence, and what can be done."""
    who = signed_in.principal
    row = await services.alerts.get(who, alert_id)
    entries = await services.alerts.evidence(who, alert_id)
    responses = await services.suspensions.active(who, None)
    return page(
        "alert.html",
        signed_in=signed_in,
        alert=AlertOut.of(row),
        evidence=[EntryOut.of(entry, names_of(row)) for entry in entries],
        responses=[r for r in responses if r.alert_id == row.id],
        may_review=Scope.ALERTS_REVIEW.value in who.scopes,
        is_finished=row.state not in UNFINISHED,
    )


@routes.post(PREFIX + "/alerts/{alert_id}/review", include_in_schema=False)
async def review(
    request: Request,
    alert_id: Ident,
    form: Annotated[ReviewForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.ALERTS_REVIEW)],
) -> Response:
    """Acknowledge, confirm or dismiss."""
    verify(request, signed_in, form)
    change = AlertChange(
        state=AlertState(form.state), label=form.label or None, note=form.note or None
    )
    await services.alerts.change(signed_in.principal, alert_id, change)
    return RedirectResponse(request.url.path.removesuffix("/review"), 303)


@routes.post(PREFIX + "/alerts/{alert_id}/suspend", include_in_schema=False)
async def suspend(
    request: Request,
    alert_id: Ident,
    form: Annotated[SuspendForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.SUSPENSIONS_WRITE)],
) -> Response:
    """Suspend an agent of the alert; the reviewer need not know who it is."""
    verify(request, signed_in, form)
    if form.confirm != "yes":
        raise InvalidRequestError("tick the box that confirms the suspension")
    row = await services.alerts.get(signed_in.principal, alert_id)
    await services.suspensions.suspend(
        signed_in.principal,
        agent_id=_agent(row, form.pseudonym),
        reason=form.reason,
        ends_at=services.clock.now() + form.hours * HOUR,
        alert_id=row.id,
    )
    return RedirectResponse(request.url.path.removesuffix("/suspend"), 303)


@routes.get(PREFIX + "/alerts/{alert_id}/agents/{pseudonym}", include_in_schema=False)
async def timeline(
    alert_id: Ident,
    pseudonym: Ident,
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.ALERTS_READ, Scope.LOG_READ)],
) -> Response:
    """What an agent of the alert viewed, hour by hour; looking is an entry of the log."""
    row = await services.alerts.get(signed_in.principal, alert_id)
    now = services.clock.now()
    query = LogQuery(
        tenant=row.tenant,
        agent_id=_agent(row, pseudonym),
        kinds=LOOKS,
        since=(now // HOUR - HOURS + 1) * HOUR,
        limit=TIMELINE,
    )
    found = await services.auditing.views(signed_in.principal, query, f"alert {row.id}")
    entries = found.entries
    return page(
        "timeline.html",
        signed_in=signed_in,
        alert_id=row.id,
        agent=pseudonym,
        chart=by_hour((entry.event.at for entry in entries), now),
        entries=[EntryOut.of(entry, names_of(row)) for entry in entries],
        is_cut=len(entries) == TIMELINE,
    )


def _agent(row: AlertRow, name: str) -> str:
    for agent, shown in names_of(row).items():
        if shown == name:
            return agent
    raise NotFoundError("the alert names nobody like that")
