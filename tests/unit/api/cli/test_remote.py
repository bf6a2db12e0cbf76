import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from api.cli.remote import call
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    UnavailableError,
)
from tests.contracts.guard.backtest.floor import STRICT
from tests.support.service import write_bundle
from tests.unit.api.cli.conftest import Guard

pytestmark = pytest.mark.enable_socket
ROW = {"id": "pol-1", "state": "proposed", "review_due": False}


class Answering(BaseHTTPRequestHandler):
    """Answers as the path says: a row, a problem, or no JSON at all."""

    asked: list[tuple[str, str, object]] = []  # noqa: RUF012 - the server makes the instances

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        sent = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.path, self.headers["authorization"], sent))
        tail = self.path.rpartition("/")[2]
        status = int(tail) if tail.isdigit() else 200
        problem = {"title": "It is in another state", "detail": "see its state"}
        body = (
            b"<html>" if tail == "html" else json.dumps(problem if tail.isdigit() else ROW).encode()
        )
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Answering.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Answering) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("abc\n")
    return path


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AccessDeniedError),
        (403, AccessDeniedError),
        (409, ConflictError),
        (422, InvalidRequestError),
        (503, UnavailableError),
    ],
)
def test_a_problem_becomes_the_error_it_was(
    server: str, token: Path, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match="It is in another state: see its state"):
        call(server, token, f"/{status}", None)


def test_a_token_is_needed_and_never_sent_in_the_clear(server: str, token: Path) -> None:
    for address in ("http://example.com", "ftp://127.0.0.1", "127.0.0.1:80"):
        with pytest.raises(ConfigurationError, match="https"):
            call(address, token, "/x", None)
    with pytest.raises(ConfigurationError, match="--token-file"):
        call(server, None, "/x", None)
    with pytest.raises(UnavailableError):
        call(server, token, "/html", None)
    with pytest.raises(UnavailableError):
        call("http://127.0.0.1:1", token, "/x", None)
    assert Answering.asked == [("/html", "Bearer abc", None)]


def test_every_step_can_be_taken_at_a_running_service(
    guard: Guard, server: str, token: Path, tmp_path: Path
) -> None:
    folder = write_bundle(tmp_path / "strict", STRICT)
    way = ("--server", server, "--token-file", token)
    assert guard("policy", "propose", folder, "--because", "x", *way).out == (
        "policy pol-1 is proposed\n"
    )
    guard("policy", "approve", "pol-1", *way)
    guard("policy", "activate", "pol-1", *way)
    guard("policy", "rollback", "--because", "y", *way)
    texts = {name: content.decode() for name, content in STRICT.items()}
    assert [(path, sent) for path, _, sent in Answering.asked] == [
        ("/v1/policies", {"files": texts, "because": "x"}),
        ("/v1/policies/pol-1/approve", None),
        ("/v1/policies/pol-1/activate", None),
        ("/v1/policies/rollback", {"because": "y"}),
    ]
