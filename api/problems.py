"""Errors as RFC 9457 problem documents, from one table; no router contains a `try`.

A problem says what kind of thing went wrong and what to do next. It never repeats anything that
came in: what stands in backticks in an error's text is a word of ours that `OWN_WORDS` knows, or it
is the caller's and is blanked; a validation error names the place and the rule, not the value; an
unexpected error says nothing at all. Quota refusals use the IETF's problem types and RateLimit
fields, for the caller's own budgets only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.identity.errors import CredentialError
from api.identity.scopes import ALL
from api.rendering import error_page, is_console
from guard.clock import SECOND, Clock, Micros
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    DeliveryUnknownError,
    GuardError,
    InvalidRequestError,
    KeyUnavailableError,
    LedgerError,
    NotDeliveredError,
    NotFoundError,
    SourceError,
    StoreUnavailableError,
    UnavailableError,
)
from guard.quotas import BudgetStatus
from guard.views import Refused
from policies.model import Window

MEDIA_TYPE = "application/problem+json"
BASE = "https://recordguard.dev/problems/"
QUOTA_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"
# Seconds after which something unavailable is worth another try: a group commit or a lock is over
# within one.
RETRY_AFTER_S = 1
WINDOW_S = {Window.HOUR: 3600, Window.DAY: 86_400}
_IN_BACKTICKS = re.compile(r"`([^`]*)`?")
# Our own words that errors quote; anything else in backticks came from the caller.
OWN_WORDS = ALL | {
    "Authorization", "UTC", "act", "agent", "alert", "assignee", "case", "customer", "customers",
    "ends_at", "fields", "how", "label", "note", "pseudonym", "purpose", "reason", "region",
    "source", "source_key", "starts_at", "state", "team", "kind", "webhook-id",
    "minutes", "pace", "text",
    "because", "guard policy backtest", "guard policy lint", "on", "statement",
    "cc", "channel", "subject",
    "guard log reconcile",
    "since", "until", "value",
    "why", "parquet",
}  # fmt: skip
_BODY = "body"


class RefusalError(Exception):
    """Raised by the route of an act when the broker refused: a normal answer that is a problem."""

    def __init__(self, refused: Refused) -> None:
        """Keep the broker's refusal."""
        super().__init__(refused.code)
        self.refused = refused


class MalformedBodyError(Exception):
    """Raised when a body is no JSON, or is nested too deeply to be parsed."""


class ContentTooLargeError(Exception):
    """Raised when a body is larger than its route allows."""


class CursorError(Exception):
    """Raised when a page cursor is not one that this service made for this question."""


class KeyReusedError(Exception):
    """Raised when an idempotency key comes back with another request."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem. `advice` stands in for the error's own text where that is not shown."""

    status: int
    slug: str
    title: str
    advice: str = ""
    shows_text: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The `type` of the document: stable for ever."""
        return QUOTA_TYPE if self.slug == "quota-exceeded" else BASE + self.slug


_RETRY = {"retry-after": str(RETRY_AFTER_S)}
UNEXPECTED = Problem(
    500, "internal", "Something went wrong here", "try again; if it stays, give support the id"
)
TOO_LARGE = Problem(413, "content-too-large", "The body is too large", "send less at a time")
TABLE: dict[type[Exception], Problem] = {
    CredentialError: Problem(
        401,
        "invalid-credential",
        "No credential that holds",
        shows_text=True,
        headers={"www-authenticate": 'Bearer realm="recordguard"'},
    ),
    AccessDeniedError: Problem(403, "access-denied", "You may not do this", shows_text=True),
    NotFoundError: Problem(404, "not-found", "There is no such thing", shows_text=True),
    ConflictError: Problem(409, "conflict", "It is in another state", shows_text=True),
    InvalidRequestError: Problem(
        422, "invalid-request", "The request makes no sense", shows_text=True
    ),
    RequestValidationError: Problem(
        422, "invalid-content", "The request breaks the schema", "`errors` lists place and rule"
    ),
    MalformedBodyError: Problem(
        400,
        "malformed-body",
        "The body cannot be read",
        "send JSON in UTF-8, nested at most 16 deep",
    ),
    ContentTooLargeError: TOO_LARGE,
    CursorError: Problem(
        400, "invalid-cursor", "The cursor does not fit", "start again without a cursor"
    ),
    KeyReusedError: Problem(
        422,
        "idempotency-key-reused",
        "The idempotency key belongs to another request",
        "use a new key for a new request",
    ),
    StoreUnavailableError: Problem(
        503,
        "store-unavailable",
        "The log cannot be written or read now",
        "nothing was shown; try again",
        headers=_RETRY,
    ),
    NotDeliveredError: Problem(
        503,
        "not-delivered",
        "It was not delivered",
        "nothing was sent; try again, or use another channel",
        headers=_RETRY,
    ),
    DeliveryUnknownError: Problem(
        504,
        "delivery-unknown",
        "Nobody knows whether it was delivered",
        "it may have arrived: look before you repeat it",
    ),
    SourceError: Problem(
        503,
        "source-unavailable",
        "The record cannot be fetched now",
        "nothing was shown; try again",
        headers=_RETRY,
    ),
    KeyUnavailableError: Problem(
        503,
        "key-unavailable",
        "A key is missing or the key service does not answer",
        "try again; an operator must look if it stays",
        headers=_RETRY,
    ),
    UnavailableError: Problem(503, "unavailable", "Not available now", "try again", headers=_RETRY),
    LedgerError: Problem(
        500, "log-inconsistent", "The log contradicts itself", "an operator must verify the log"
    ),
    ConfigurationError: UNEXPECTED,
    GuardError: UNEXPECTED,
    Exception: UNEXPECTED,
}
REFUSALS: dict[str, Problem] = {
    "policy": Problem(403, "view-refused", "The policy refuses this"),
    "explained_only": Problem(
        403, "explained-only", "For now only customers of your own cases can be viewed"
    ),
    "suspended": Problem(
        403, "suspended", "This access is suspended", "see /v1/notices for why, and how to object"
    ),
    "quota": Problem(429, "quota-exceeded", "A budget of yours is spent"),
    "unknown_customer": Problem(404, "unknown-customer", "There is no such customer"),
    "unknown_view": Problem(404, "unknown-view", "There is no recent view of yours by this id"),
    "not_revealed": Problem(403, "not-revealed", "None of these fields is opened"),
    "not_verifiable": Problem(403, "not-verifiable", "This part of the field is not verified"),
    "no_channel": Problem(403, "no-channel", "Customers cannot be reached this way here"),
}
# What the framework itself raises, by status; anything else of 4xx is `bad-request`.
FRAMEWORK: dict[int, Problem] = {
    404: Problem(404, "no-such-path", "There is nothing here", "see /openapi.json"),
    405: Problem(405, "method-not-allowed", "The path does not take this method", "see `Allow`"),
    413: TOO_LARGE,
    415: Problem(
        415,
        "unsupported-media-type",
        "The body has another media type",
        "send application/json, or what the call documents",
    ),
}
BAD_REQUEST = Problem(400, "bad-request", "The request cannot be read", "see /openapi.json")


def problem_of(error: Exception) -> Problem:
    """Find the problem of an error: the nearest of its classes in the table."""
    if isinstance(error, RefusalError):
        return REFUSALS[error.refused.code]
    if isinstance(error, HTTPException):
        return FRAMEWORK.get(error.status_code, BAD_REQUEST)
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def document(error: Exception, request_id: str) -> dict[str, object]:
    """Write the problem document of an error."""
    problem = problem_of(error)
    text = blanked(str(error)) if problem.shows_text else problem.advice
    body: dict[str, object] = {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status,
        "instance": f"urn:recordguard:request:{request_id}",
    }
    if text:
        body["detail"] = text
    if isinstance(error, RequestValidationError):
        body["errors"] = places(error.errors())
    if isinstance(error, RefusalError):
        body |= _refusal(error.refused)
    return body


def blanked(text: str) -> str:
    """An error's text without the caller's words in it."""
    return _IN_BACKTICKS.sub(lambda m: f"`{m[1]}`" if m[1] in OWN_WORDS else "…", text)


def respond(request: Request, error: Exception) -> Response:
    """Answer with a problem document, and note it for the request's log line."""
    problem = problem_of(error)
    headers = dict(problem.headers)
    state = request.state
    state.outcome = problem.slug
    if isinstance(error, HTTPException) and error.status_code == 405:  # noqa: PLR2004 - a status
        headers["allow"] = (error.headers or {}).get("Allow", "")
    if isinstance(error, RefusalError):
        state.entry = error.refused.receipt.index
        clock: Clock = request.app.state.services.clock
        headers |= budget_headers(error.refused.budgets, clock.now())
        headers |= _retry(error.refused, clock.now())
    request.app.state.services.metrics.problems.labels(problem.slug).inc()
    body = document(error, state.request_id)
    if is_console(request):
        return error_page(
            problem.status, problem.title, str(body.get("detail", "")), state.request_id
        )
    content = msgspec.json.encode(body)
    return Response(content, problem.status, headers, media_type=MEDIA_TYPE)


async def on_error(request: Request, error: Exception) -> Response:
    """The exception handler of every class in the table."""
    if problem_of(error).status >= 500:  # noqa: PLR2004 - server errors
        structlog.get_logger().warning("http.failed", exc_info=error)
    return respond(request, error)


def budget_headers(budgets: Sequence[BudgetStatus], now: Micros) -> dict[str, str]:
    """The RateLimit fields (IETF httpapi draft) of the caller's own budgets."""
    if not budgets:
        return {}
    policies = (f'"{_token(b.name)}";q={b.limit};w={WINDOW_S[b.window]}' for b in budgets)
    limits = (
        f'"{_token(b.name)}";r={max(0, b.left)};t={_seconds_to(b.resets_at, now)}' for b in budgets
    )
    return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(limits)}


def places(errors: Sequence[Mapping[str, object]]) -> list[dict[str, str]]:
    """Say where each validation error is and which rule it broke; never what was sent."""
    return [_place(error) for error in errors]


def _place(error: Mapping[str, object]) -> dict[str, str]:
    rule = str(error["type"])
    located = error["loc"]
    loc = [str(part) for part in located] if isinstance(located, tuple) else []
    if rule == "extra_forbidden":
        # The last part is the unknown name itself: the caller's own word.
        loc = loc[:-1]
    if loc[:1] == [_BODY]:
        return {"pointer": "#" + "".join(f"/{part}" for part in loc[1:]), "rule": rule}
    return {"parameter": ".".join(loc[1:2]), "rule": rule}


def _refusal(refused: Refused) -> dict[str, object]:
    body: dict[str, object] = {
        "code": refused.code,
        "reasons": list(refused.reasons),
        "determined_by": list(refused.determined_by),
        "next": list(refused.steps),
        "receipt": msgspec.to_builtins(refused.receipt),
    }
    if refused.code == "quota":
        body["violated-policies"] = list(refused.exceeded)
    return body


def _retry(refused: Refused, now: Micros) -> dict[str, str]:
    if refused.retry_at is None:
        return {}
    resets = (b.resets_at for b in refused.budgets if b.name in refused.exceeded)
    # Not earlier than any spent budget's own reset, as the draft asks.
    latest = max([refused.retry_at, *resets])
    return {"retry-after": str(_seconds_to(latest, now))}


def _seconds_to(at: Micros, now: Micros) -> int:
    return max(1, -(-(at - now) // SECOND))


def _token(name: str) -> str:
    """A name as a Structured Field string holds it."""
    return "".join(c for c in name if c.isascii() and c.isprintable() and c not in '"\\')
