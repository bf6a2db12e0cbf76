"""A real collector of syslog over TLS on loopback, with the faults of real ones."""

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Thread

IDLE_S = 20.0


class Manner(StrEnum):
    """How a collector behaves from the next connection on."""

    TAKES = "takes"
    TAKES_WITHOUT_GOOD_BYE = "takes_without_good_bye"
    RESETS = "resets"
    STALLS = "stalls"


@dataclass
class Collector:
    """A collector: its port, how it behaves, and each connection's bytes."""

    port: int
    manner: Manner = Manner.TAKES
    received: list[bytes] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def messages(self) -> list[str]:
        """All messages, taken out of their frames."""
        found = []
        for content in self.received:
            rest = content
            while rest:
                length, _, rest = rest.partition(b" ")
                found.append(rest[: int(length)].decode())
                rest = rest[int(length) :]
        return found


@contextmanager
def collector(tls: ssl.SSLContext) -> Iterator[Collector]:
    """Listen on loopback and present what `tls` holds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Collector(port=listening.getsockname()[1])
        thread = Thread(target=_accept, args=(listening, made, tls), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
    thread.join(IDLE_S)


def _accept(listening: socket.socket, made: Collector, tls: ssl.SSLContext) -> None:
    while not made.over.is_set():
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        plain.settimeout(IDLE_S)
        with plain, suppress(OSError), tls.wrap_socket(plain, server_side=True) as connection:
            _talk(connection, made)


def _talk(connection: ssl.SSLSocket, made: Collector) -> None:
    if made.manner is Manner.STALLS:
        made.over.wait(IDLE_S)
        return
    if made.manner is Manner.RESETS:
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        return
    content = bytearray()
    while piece := connection.recv(65_536):
        content += piece
    made.received.append(bytes(content))
    if made.manner is Manner.TAKES:
        with suppress(OSError):
            connection.unwrap()
