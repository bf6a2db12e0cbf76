"""Small real servers on loopback: a mail server and an HTTP receiver, with the faults of real ones.

Each keeps what it was given. `manner` says how it behaves from the next connection on.
"""

import base64
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Thread
from typing import IO

# Nobody waits this long; a thread that does is left to the end of the test.
IDLE_S = 20.0


class Manner(StrEnum):
    """How a server behaves."""

    TAKES = "takes"
    REFUSES = "refuses"
    REFUSES_RECIPIENT = "refuses_recipient"
    STALLS = "stalls"
    CLOSES = "closes"
    REDIRECTS = "redirects"
    FAILS = "fails"
    FLOODS = "floods"


@dataclass
class Sink:
    """A server: its port, how it behaves, and what it was given."""

    port: int
    manner: Manner = Manner.TAKES
    received: list[bytes] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    connections: int = 0
    answer: bytes = b'{"id":"call-7"}'
    over: Event = field(default_factory=Event)
    # What a mail server presents, from the first byte or once it is asked to; None: it has no TLS.
    tls: ssl.SSLContext | None = None
    is_tls_first: bool = False
    in_clear: list[bytes] = field(default_factory=list)
    sign_ins: list[bytes] = field(default_factory=list)


@contextmanager
def _serving(serve: "type[_Server]", tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sink = Sink(port=listening.getsockname()[1], tls=tls)
        server = serve(listening, sink)
        thread = Thread(target=server.accept, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            sink.over.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
    thread.join(IDLE_S)


@contextmanager
def smtp_sink(tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """A mail server; it offers TLS if it is given something to present, and sign-in within it."""
    with _serving(_Smtp, tls) as sink:
        yield sink


@contextmanager
def http_sink() -> Iterator[Sink]:
    """A receiver of webhooks; `received` holds whole requests."""
    with _serving(_Http) as sink:
        yield sink


class _Server(ABC):
    def __init__(self, listening: socket.socket, sink: Sink) -> None:
        self._listening, self._sink = listening, sink

    @abstractmethod
    def _talk(self, connection: socket.socket, lines: IO[bytes]) -> None: ...

    def accept(self) -> None:
        while not self._sink.over.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._sink.connections += 1
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(IDLE_S)
        with connection, suppress(OSError):
            self._talk(connection, connection.makefile("rb"))

    def _stall(self) -> None:
        self._sink.over.wait(IDLE_S)


class _Smtp(_Server):
    def _talk(self, connection: socket.socket, lines: IO[bytes]) -> None:
        sink = self._sink
        if sink.manner is Manner.REFUSES:
            connection.sendall(b"554 no service here\r\n")
            return
        if sink.tls is not None and sink.is_tls_first:
            with sink.tls.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.sendall(b"220 sink\r\n")
                self._converse(wrapped, wrapped.makefile("rb"))
            return
        connection.sendall(b"220 sink\r\n")
        if sink.tls is None:
            self._converse(connection, lines)
        else:
            self._until_tls(connection, lines, sink.tls)

    def _until_tls(self, connection: socket.socket, lines: IO[bytes], tls: ssl.SSLContext) -> None:
        """Take nothing but the wish for TLS, and converse in it."""
        for line in lines:
            self._sink.in_clear.append(line.strip())
            word = line.strip().upper()
            if word == b"STARTTLS":
                connection.sendall(b"220 go on\r\n")
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    self._converse(wrapped, wrapped.makefile("rb"))
                return
            is_greeting = word.startswith((b"EHLO", b"HELO"))
            connection.sendall(b"250-sink\r\n250 STARTTLS\r\n" if is_greeting else b"530 no\r\n")

    def _converse(self, connection: socket.socket, lines: IO[bytes]) -> None:
        sink = self._sink
        for line in lines:
            word = line.strip().upper()
            if word.startswith((b"EHLO", b"HELO")):
                offers = b"8BITMIME" if sink.tls is None else b"AUTH PLAIN"
                connection.sendall(b"250-sink\r\n250 " + offers + b"\r\n")
            elif word.startswith(b"AUTH PLAIN "):
                sink.sign_ins.append(base64.b64decode(line.split()[2]))
                connection.sendall(b"235 welcome\r\n")
            elif word.startswith((b"MAIL", b"RCPT")):
                sink.envelopes.append(line.strip().decode())
                is_refused = word.startswith(b"RCPT") and sink.manner is Manner.REFUSES_RECIPIENT
                refusal = b"550 <" + line.strip() + b"> is nobody\r\n"
                connection.sendall(refusal if is_refused else b"250 ok\r\n")
            elif word == b"DATA":
                connection.sendall(b"354 go on\r\n")
                if not self._take(connection, lines):
                    return
            else:
                connection.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

    def _take(self, connection: socket.socket, lines: IO[bytes]) -> bool:
        content = b""
        for line in lines:
            if line == b".\r\n":
                break
            content += line.removeprefix(b".")
        self._sink.received.append(content)
        match self._sink.manner:
            case Manner.STALLS:
                self._stall()
                return False
            case Manner.CLOSES:
                return False
            case Manner.FAILS:
                connection.sendall(b"451 " + self._sink.envelopes[-1].encode() + b" failed\r\n")
            case _:
                connection.sendall(b"250 taken\r\n")
        return True


_ANSWERS = {
    Manner.REDIRECTS: (b"307 Go", b"location: http://127.0.0.1:9/\r\n"),
    Manner.REFUSES: (b"422 No", b""),
    Manner.REFUSES_RECIPIENT: (b"422 No", b""),
    Manner.FAILS: (b"500 Oh", b""),
    Manner.FLOODS: (b"200 OK", b""),
}


class _Http(_Server):
    def _talk(self, connection: socket.socket, lines: IO[bytes]) -> None:
        sink = self._sink
        sink.received.append(_request(lines))
        if sink.manner is Manner.STALLS:
            self._stall()
        elif sink.manner is Manner.TAKES:
            self._send(connection, b"200 OK", sink.answer)
        elif sink.manner is not Manner.CLOSES:
            status, more = _ANSWERS[sink.manner]
            # As some do, it quotes what it was sent.
            body = b"x" * 1_000_000 if sink.manner is Manner.FLOODS else sink.received[-1]
            self._send(connection, status, body, more)

    def _send(
        self, connection: socket.socket, status: bytes, body: bytes, more: bytes = b""
    ) -> None:
        head = b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n" + more
        head += b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        connection.sendall(head + body)


def _request(lines: IO[bytes]) -> bytes:
    head, length = b"", 0
    for line in lines:
        head += line
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        if line == b"\r\n":
            break
    return head + lines.read(length)
