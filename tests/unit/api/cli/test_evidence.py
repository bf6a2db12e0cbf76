import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.makers import TENANT
from tests.unit.api.cli.conftest import Fill, Guard
from tests.unit.api.cli.test_log import a_day

WORDS = ("evidence", "--as", "aud", "--tenant", TENANT, "--purpose", "a matter")


def test_a_bundle_is_taken_and_checked_with_the_keys_that_are_printed(
    guard: Guard, fill: Fill, tmp_path: Path
) -> None:
    fill(a_day)
    # The service publishes when it stops; the fixture's own log has another name.
    assert (
        guard(
            "evidence", "--as", "aud", "--tenant", TENANT, "--purpose", " ", "--out", tmp_path / "x"
        ).code
        == 65
    )
    out = tmp_path / "case.zip"
    made = guard(*WORDS, "--out", out, "--range", "0:4")
    if made.code != 0:
        assert "no checkpoint is published yet" in made.err
        made = guard(*WORDS, "--out", out, "--range", "0:4")
    assert made.code == 0, made.err
    line = next(one for one in made.out.splitlines() if "--vkey" in one)
    keys = line.split("'")[1::2]
    asked = [word for key in keys for word in ("--vkey", key)]
    said = json.loads(guard("verify-bundle", out, *asked, "--json").out)
    assert (said["start"], said["end"], said["purpose"]) == (0, 4, "a matter")
    assert "holds" in guard("verify-bundle", out, *asked).out
    policy = tmp_path / "policy"
    policy.write_text(f"log {keys[0]}\nquorum none\n")
    assert guard("verify-bundle", out, "--vkey", keys[1], "--policy", policy).code == 0
    assert guard("verify-bundle", out, "--vkey", keys[1]).code == 1
    assert guard(*WORDS, "--out", out).code == 65


def test_a_question_that_is_none_is_refused(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    out = ("--out", tmp_path / "case.zip")
    assert guard(*WORDS, *out, "--range", "four").code == 65
    assert guard(*WORDS, *out, "--since", "today").code == 65
    nobody = ("evidence", "--as", "nobody", "--tenant", TENANT, "--purpose", "x")
    assert guard(*nobody, *out, "--until", "2026-11-21T18:00:00Z").code == 65


class Serving(BaseHTTPRequestHandler):
    """Answers as the token says: a bundle, a problem, or a file that breaks off."""

    asked: list[tuple[str, object]] = []  # noqa: RUF012 - the server makes the instances

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, sent))
        token = self.headers["authorization"].removeprefix("Bearer ")
        body = b'{"title": "Not yours", "detail": "ask another"}' if token == "no" else b"PK"  # noqa: S105 - a word
        self.send_response(403 if token == "no" else 200)  # noqa: S105 - a word
        self.send_header("content-length", str(len(body) + (token == "cut")))  # noqa: S105 - a word
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.enable_socket
def test_a_running_service_is_asked_for_a_bundle(guard: Guard, tmp_path: Path) -> None:
    Serving.asked.clear()
    token, out = tmp_path / "token", tmp_path / "case.zip"
    with HTTPServer(("127.0.0.1", 0), Serving) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{listening.server_port}"
        way = ("evidence", "--server", address, "--token-file", token, "--out", out)
        try:
            for word in ("no", "cut"):
                token.write_text(word)
                refused = guard(*way, "--purpose", "x")
                assert refused.code != 0
                assert ("Not yours: ask another" in refused.err) == (word == "no")
                # What is left of it is nothing to hand on.
                assert not out.exists()
            token.write_text("yes")
            said = guard(*way, "--purpose", "x", "--agent", "a1", "--since", "2026-01-01T00:00:00Z")
            assert (said.code, out.read_bytes()) == (0, b"PK")
            assert "--vkey LOG_KEY" in said.out
            assert guard(*way, "--purpose", "x", "--range", "0:4").code == 65
            assert out.read_bytes() == b"PK"
        finally:
            listening.shutdown()
            thread.join()
    assert Serving.asked[2:] == [
        ("/v1/evidence", {"why": "x", "agent": "a1", "since": "2026-01-01T00:00:00Z"})
    ]
    assert guard("evidence", "--purpose", "x", "--out", tmp_path / "other").code != 0
