"""A running service, spoken to by a command: a SQLite ledger has one writer, and that is it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx2
import typer

from api.settings import is_loopback
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    GuardError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)

# Longer than a backtest of everything that a running service takes on.
ANSWER_S = 120.0
_ERRORS: Mapping[int, type[GuardError]] = {
    401: AccessDeniedError,
    403: AccessDeniedError,
    404: NotFoundError,
    409: ConflictError,
    503: UnavailableError,
}
Server = Annotated[
    str, typer.Option(help="Address of the running service; without it: the data folder itself.")
]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with an access token or API key, for `--server`.")
]


def call(
    server: str, token_file: Path | None, path: str, body: Mapping[str, object] | None
) -> dict[str, object]:
    """POST to a running service and give its answer; None: no body.

    Raises:
        ConfigurationError: The address would send the token in the clear, or there is no token.
        GuardError: The service said no, or could not be reached.
    """
    return _document(_send(server, token_file, "POST", path, json=body))


def read(
    server: str, token_file: Path | None, path: str, asked: Mapping[str, object]
) -> dict[str, object]:
    """GET from a running service, with these parameters, and give its answer.

    Raises:
        ConfigurationError: As of `call`.
        GuardError: As of `call`.
    """
    return _document(_send(server, token_file, "GET", path, params=asked))


def read_file(server: str, token_file: Path | None, path: str) -> bytes:
    """GET a file from a running service.

    Raises:
        ConfigurationError: As of `call`.
        GuardError: As of `call`.
    """
    return _send(server, token_file, "GET", path).content


def save(
    server: str, token_file: Path | None, path: str, body: Mapping[str, object], out: Path
) -> int:
    """POST to a running service and write what it sends into a new file; how many bytes.

    Raises:
        ConfigurationError: As of `call`.
        FileExistsError: There is such a file.
        GuardError: As of `call`, or the file broke off: what is left of it is no file to use.
    """
    with _client(server, token_file) as client, out.open("xb") as file:
        try:
            with client.stream("POST", path, json=body) as answer:
                if answer.is_success:
                    return sum(file.write(piece) for piece in answer.iter_bytes())
                answer.read()
        except httpx2.HTTPError:
            out.unlink()
            raise _silent() from None
        out.unlink()
    raise _refusal(answer)


def _send(
    server: str,
    token_file: Path | None,
    method: str,
    path: str,
    **more: Mapping[str, object] | None,
) -> httpx2.Response:
    try:
        with _client(server, token_file) as client:
            answer = client.request(method, path, **more)  # type: ignore[arg-type]  # its body or its parameters
    except httpx2.HTTPError:
        raise _silent() from None
    if answer.is_success:
        return answer
    raise _refusal(answer)


def _client(server: str, token_file: Path | None) -> httpx2.Client:
    parts = urlsplit(server)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    ):
        raise ConfigurationError("--server takes an https address, or http on this machine")
    if token_file is None:
        raise ConfigurationError("name a file with a token: --token-file")
    headers = {"authorization": "Bearer " + token_file.read_text().strip()}
    return httpx2.Client(base_url=server, timeout=ANSWER_S, headers=headers)


def _refusal(answer: httpx2.Response) -> GuardError:
    kind = _ERRORS.get(answer.status_code, InvalidRequestError)
    return kind(_words(_parsed(answer)))


def _document(answer: httpx2.Response) -> dict[str, object]:
    document = _parsed(answer)
    if not isinstance(document, dict):
        raise _silent()
    return document


def _parsed(answer: httpx2.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        raise _silent() from None


def _silent() -> UnavailableError:
    return UnavailableError("the service does not answer: see --server, then try again")


def _words(document: object) -> str:
    """A problem document in one line."""
    said = document if isinstance(document, dict) else {}
    title, detail = said.get("title", "the service refused"), said.get("detail", "")
    return f"{title}: {detail}" if detail else str(title)
