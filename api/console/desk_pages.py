"""What all pages of the desk share: whom a form is about, and how a refusal looks.

A form repeats whom it is about, so that every page can lead on without a customer in an address. A
refusal is counted and noted like that of the JSON routes, and becomes a page with the forms of what
would help.
"""

from dataclasses import dataclass
from typing import TypeVar, cast

from fastapi import FastAPI, Request
from starlette.responses import Response

from api.console.next_steps import STEP_WORDS
from api.console.session import SignedForm
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.metrics import Metrics
from api.problems import RefusalError, problem_of, respond
from api.rendering import page
from api.routers.outcomes import outcome_of
from api.schemas.words import Ident
from guard.break_glass import MAX_MINUTES, MIN_TEXT, ReasonCode
from guard.broker.contact import MAX_SUBJECT, MAX_TEXT
from guard.broker.reveal import MAX_FIELDS
from guard.purposes.presence import DIGITS
from guard.vault.identifiers import IdentifierKind
from guard.views import NextStep, Refused
from policies.model import Act, Purpose

T = TypeVar("T")

# What a form needs of its visitor; a form that nobody of the role can send is not shown.
FORM_SCOPES = {
    "again": Scope.VIEWS_WRITE,
    "reveal": Scope.REVEALS_WRITE,
    "verify": Scope.VERIFICATIONS_WRITE,
    "contact": Scope.CONTACTS_WRITE,
    "search": Scope.SEARCHES_WRITE,
    "code": Scope.PRESENCE_CLAIM,
    "glass": Scope.BREAK_GLASS_WRITE,
}
WORDS = {
    "purposes": tuple(Purpose),
    "kinds": tuple(IdentifierKind),
    "reason_codes": tuple(ReasonCode),
    "limits": {
        "fields": MAX_FIELDS,
        "minutes": MAX_MINUTES,
        "glass_text": MIN_TEXT,
        "subject": MAX_SUBJECT,
        "text": MAX_TEXT,
        "digits": DIGITS,
    },
    "step_words": STEP_WORDS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom and what an act is about; no customer yet where one is looked for."""

    customer: str = ""
    purpose: Purpose = Purpose.SUPPORT_CASE
    case: str | None = None


class AboutForm(SignedForm):
    """Base of the forms about one customer."""

    customer: Ident
    purpose: Purpose = Purpose.SUPPORT_CASE
    case: Ident | None = None

    @property
    def about(self) -> About:
        """The same, for the pages that follow."""
        return About(customer=self.customer, purpose=self.purpose, case=self.case)


class DeskRefusalError(RefusalError):
    """Raised by the desk when the broker refused; it becomes a page and not a document."""

    def __init__(self, refused: Refused, signed_in: SignedIn, about: About) -> None:
        """Keep what the page needs."""
        super().__init__(refused)
        self.signed_in, self.about = signed_in, about


def carried_out(
    request: Request, act: Act, answer: T | Refused, signed_in: SignedIn, about: About
) -> T:
    """The answer, if it is one; counted as the JSON routes count.

    Raises:
        DeskRefusalError: The broker refused.
    """
    metrics: Metrics = request.app.state.services.metrics
    outcome = outcome_of(answer)
    metrics.acts.labels(act.value, outcome).inc()
    if act is Act.VIEW:
        metrics.views.labels(outcome).inc()
    if isinstance(answer, Refused):
        raise DeskRefusalError(answer, signed_in, about)
    return answer


def desk_page(
    template: str, signed_in: SignedIn, status: int = 200, /, **context: object
) -> Response:
    """Render a page of the desk with the words and forms that its visitor can use."""
    scopes = signed_in.principal.scopes
    forms = {name for name, scope in FORM_SCOPES.items() if scope.value in scopes}
    return page(template, status, signed_in=signed_in, forms=forms, **WORDS, **context)


async def refusal_page(request: Request, error: Exception) -> Response:
    """Say why nothing was done, and offer what would help."""
    refusal = cast("DeskRefusalError", error)  # what `install` registers it for, and no other
    noted = respond(request, refusal)
    return desk_page(
        "refused.html",
        refusal.signed_in,
        noted.status_code,
        title=problem_of(refusal).title,
        refused=refusal.refused,
        about=refusal.about,
        offered=offered(refusal.refused.steps),
    )


def offered(steps: tuple[NextStep, ...]) -> set[str]:
    """The forms that some steps lead to."""
    return {STEP_WORDS[step].form for step in steps} - {""}


def install(app: FastAPI) -> None:
    """Have refusals at the desk answered by a page."""
    app.add_exception_handler(DeskRefusalError, refusal_page)
