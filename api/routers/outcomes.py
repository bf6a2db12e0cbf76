"""What every route of an act does with the broker's answer: count it, note it, refuse it.

A refusal becomes its problem document; the entry's index goes into the request's log line.
"""

from typing import TypeVar

from fastapi import Request

from api.metrics import Metrics
from api.problems import RefusalError, document
from guard.entries import Receipt
from guard.views import Failed, Refused
from policies.model import Act

T = TypeVar("T")


def accepted(request: Request, act: Act, answer: T | Refused) -> T:
    """The answer, if it is one.

    Raises:
        RefusalError: The broker refused.
    """
    metrics: Metrics = request.app.state.services.metrics
    metrics.acts.labels(act.value, outcome_of(answer)).inc()
    if isinstance(answer, Refused):
        raise RefusalError(answer)
    return answer


def noted(request: Request, receipt: Receipt, outcome: str = "permitted") -> None:
    """Let the request's log line name the entry."""
    request.state.entry, request.state.outcome = receipt.index, outcome


def outcome_of(answer: object) -> str:
    """A word of a closed set for a metric: permitted, failed, or the code of the refusal."""
    match answer:
        case Refused():
            return answer.code.value
        case Failed():
            return "failed"
        case _:
            return "permitted"


def problem(request: Request, answer: Refused | Failed) -> dict[str, object]:
    """The problem document of one among several outcomes."""
    error = answer.error if isinstance(answer, Failed) else RefusalError(answer)
    return document(error, request.state.request_id)
