"""The OpenAPI document is kept: whatever is sent, the answer is one that it describes.

Schemathesis makes requests from the document the service itself serves, right ones and wrong ones,
and checks each answer against it: never a 5xx, a status that is documented, its media type, its
schema; wrong data is refused. In process, without a socket, always the same requests.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.service import ADMIN, AGENT, ANALYST, AUDITOR, SYNC, Service, open_service

Made: TypeAlias = Case[Any]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
pytestmark = pytest.mark.functional

# Requests for each call, person and kind (right and wrong).
IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
EXAMPLES = 60 if IS_FULL else 3
PEOPLE = (ADMIN, AGENT, AUDITOR, ANALYST, SYNC) if IS_FULL else (ADMIN, AGENT, AUDITOR)
BASE_URL = "http://localhost"
CALLS = 25
ASKS_THE_LOG, NOBODY = "GET /v1/log/views", "nobody"
TOO_LARGE = 413
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(slots=True)
class Desk:
    """Somebody who sends what schemathesis makes up; counts what came back."""

    portal: BlockingPortal
    service: Service
    who: str
    statuses: Counter[int] = field(default_factory=Counter)

    def send(self, case: Made) -> httpx2.Response:
        """Send one request with this person's token."""
        made = case.as_transport_kwargs(base_url=BASE_URL)
        content: bytes | str | None = made.get("data")
        headers = dict(made.get("headers") or {})
        if "json" in made:
            content = json.dumps(made["json"])
            headers.setdefault("Content-Type", "application/json")
        request = partial(
            self.service.client.request,
            params=made.get("params"),
            headers=headers | self.service.tokens.header(self.who),
            content=content,
        )
        answer = self.portal.call(request, made["method"], made["url"])
        self.statuses[answer.status_code] += 1
        return answer


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal("asyncio") as opened:
        yield opened


@pytest.fixture
def service(portal: BlockingPortal, sqlite_template: Path, tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    opening = open_service(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    with portal.wrap_async_context_manager(opening) as opened:
        yield opened


def operations(portal: BlockingPortal, service: Service) -> list[Operation]:
    document = portal.call(service.client.get, "/openapi.json").json()
    # Credentials are tried in `test_bad_input`; here everybody has one.
    del document["components"]["securitySchemes"]
    # A name of several parts: what is made up for it has no slashes. `tests/unit` has its names.
    del document["paths"]["/log/tile/{tile}"]
    for item in document["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def aim(case: Made, service: Service) -> None:
    """Let a right request mean a customer who exists, and a question to the log ask one thing."""
    if isinstance(case.body, dict) and "customer" in case.body:
        case.body["customer"] = service.refs[0]
    asked = case.query
    if case.operation.label == ASKS_THE_LOG and ("customer" in asked) == ("agent" in asked):
        asked.pop("agent", None)
        asked["customer"] = NOBODY
    if case.operation.label == ASKS_THE_LOG and "agent" in asked:
        asked.setdefault("reason", "asked")


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_document_describes(
    portal: BlockingPortal,
    service: Service,
    who: str,
    mode: GenerationMode,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = Desk(portal, service, who)
    found = operations(portal, service)
    assert len(found) >= CALLS
    if mode is GenerationMode.NEGATIVE:
        found = [operation for operation in found if takes_something(operation)]
    faults = [
        f"{operation.label}: {error}"
        for operation in found
        if (error := fault(desk, operation, mode)) is not None
    ]
    if faults:
        pytest.fail("\n".join(faults))
    with capsys.disabled():
        counted = ", ".join(f"{n} of {status}" for status, n in sorted(desk.statuses.items()))
        sys.stdout.write(f"\n{mode.value} requests as {who}: {counted}\n")


def takes_something(operation: Operation) -> bool:
    """Whether there is anything in a request that could be wrong; any text will do for a header."""
    raw = operation.definition.raw
    places = {parameter["in"] for parameter in raw.get("parameters", [])}
    return "requestBody" in raw or bool(places - {"header"})


def fault(desk: Desk, operation: Operation, mode: GenerationMode) -> str | None:
    """What is wrong with the answers of one call; None: nothing."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Made) -> None:
        if mode is GenerationMode.POSITIVE:
            aim(case, desk.service)
        answer = desk.send(case)
        checks = [*CHECKS]
        # Which statuses refuse is a list of schemathesis's own, and it has no 413.
        if mode is GenerationMode.NEGATIVE and answer.status_code != TOO_LARGE:
            checks.append(negative_data_rejection)
        case.validate_response(answer, checks=checks)

    try:
        holds()
    except FailureGroup as error:
        return "\n".join(map(str, error.exceptions))
    return None
