"""Syslog over TLS (RFC 5425): frames of known length, one connection for each delivery.

The protocol has no answer that says "taken". So after the last frame the connection is closed in
both directions and the receiver's own good-bye (TLS's `close_notify`) is waited for: it is
authentic and comes in order, behind everything that was sent, so a receiver that says it has read
it all. One that resets the connection, says nothing until the deadline or ends the connection
without it may not have, and gets everything again: anybody on the way can end a connection. Only
the operator can say that a receiver knows no good-bye (`bare_close`).
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
        self,
        name: str,
        host: str,
        port: int,
        *,
        trusted: ssl.SSLContext,
        deadline_s: float,
        bare_close: bool = False,
    ) -> None:
        """Send to `host`, which must present a certificate that `trusted` accepts.

        With `bare_close` the end of the connection without TLS's good-bye is believed.
        """
        self._name, self._host, self._port = name, host, port
        self._trusted, self._deadline_s, self._bare_close = trusted, deadline_s, bare_close

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
                    self._close_both_ways(connection)
            except ssl.SSLCertVerificationError:
                raise NotDeliveredError(
                    f"sink `{self._name}` shows a certificate that is not trusted, see its CA file"
                ) from None
            except OSError:
                raise DeliveryUnknownError(
                    f"sink `{self._name}` broke off: it may have taken some of it"
                ) from None

    def _close_both_ways(self, connection: ssl.SSLSocket) -> None:
        """Say that it is all, and wait for the receiver to say so too."""
        try:
            connection.unwrap()
        except ssl.SSLEOFError:
            if not self._bare_close:
                raise DeliveryUnknownError(
                    f"sink `{self._name}` ended the connection without TLS's good-bye: if it knows "
                    "none, declare `bare_close`"
                ) from None
