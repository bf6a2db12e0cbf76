"""Syslog over TLS (RFC 5425): frames of known length, one connection for each delivery.

The protocol has no answer that says "taken". So after the last frame the connection is closed in
both directions and the receiver's own close is waited for: it comes in order, behind everything
that was sent, so a receiver that closes has read it all. One that resets the connection, or says
nothing until the deadline, has not, and gets everything again.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence

from guard.errors import DeliveryUnknownError, NotDeliveredError
from guard.sinks.sink import Event


class SyslogTlsSink:
    """Implements `Sink` over TLS; the receiver's certificate is verified."""

    window = 500

    def __init__(
        self, name: str, host: str, port: int, *, trusted: ssl.SSLContext, deadline_s: float
    ) -> None:
        """Send to `host`, which must present a certificate that `trusted` accepts."""
        self._name, self._host, self._port = name, host, port
        self._trusted, self._deadline_s = trusted, deadline_s

    async def deliver(self, events: Sequence[Event]) -> None:
        """See `Sink.deliver`; blocks a thread and never the loop."""
        await asyncio.to_thread(self._send, b"".join(event.body for event in events))

    async def close(self) -> None:
        """See `Sink.close`."""

    def _send(self, content: bytes) -> None:
        try:
            plain = socket.create_connection((self._host, self._port), timeout=self._deadline_s)
        except OSError:
            raise NotDeliveredError(f"sink `{self._name}` cannot be reached, try again") from None
        with plain:
            try:
                with self._trusted.wrap_socket(plain, server_hostname=self._host) as connection:
                    connection.sendall(content)
                    _close_both_ways(connection)
            except ssl.SSLCertVerificationError:
                raise NotDeliveredError(
                    f"sink `{self._name}` shows a certificate that is not trusted, see its CA file"
                ) from None
            except OSError:
                raise DeliveryUnknownError(
                    f"sink `{self._name}` broke off: it may have taken some of it"
                ) from None


def _close_both_ways(connection: ssl.SSLSocket) -> None:
    """Say that it is all, and wait for the receiver to say so too."""
    try:
        connection.unwrap()
    except ssl.SSLEOFError:
        # It closed without TLS's own good-bye, as many do. Had it left anything unread, the kernel
        # would have reset the connection instead.
        return
