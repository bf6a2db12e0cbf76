"""How a mail is written and handed over; the promises of every channel are the contracts'."""

import email
import email.policy
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from guard.contacts.smtp import THREADS, MailServer, Security, SmtpChannel, is_mail_address
from guard.errors import DeliveryUnknownError, NotDeliveredError
from guard.ports import Message
from tests.support.authority import server_context, trusting_context
from tests.support.makers import NOON
from tests.support.sinks import Sink, smtp_sink

pytestmark = pytest.mark.anyio

SERVER = MailServer(
    name="mail",
    host="127.0.0.1",
    port=25,
    security=Security.NONE,
    user="",
    password="",
    sender="support@example.com",
    sender_name="Soporte, Señora",
    reply_to="support+{reference}@example.com",
    deadline_s=15.0,
)
MESSAGE = Message(subject="Su petición", text="Hola.\n.\nAdiós ☎", reference="r-1")
PASSWORD = "swordfish"  # noqa: S105 - of no server
TO = "maria@example.net"


@pytest.fixture
def sink() -> Any:  # noqa: ANN401 - an iterator of sinks
    with smtp_sink() as opened:
        yield opened


@pytest.fixture
async def channel_to(sink: Sink) -> AsyncIterator[Callable[..., SmtpChannel]]:
    channels: list[SmtpChannel] = []

    def opened(
        context: ssl.SSLContext | None = None,
        **changes: Any,  # noqa: ANN401 - any setting
    ) -> SmtpChannel:
        server = replace(SERVER, port=sink.port, **changes)
        channels.append(SmtpChannel(server, wall=lambda: NOON, context=context))
        return channels[-1]

    yield opened
    for channel in channels:
        await channel.close()


@pytest.mark.enable_socket
async def test_a_mail_comes_from_the_company_and_answers_find_back_without_an_address(
    sink: Sink, channel_to: Callable[..., SmtpChannel]
) -> None:
    message_id = await channel_to().deliver(TO, MESSAGE)
    mail = email.message_from_bytes(sink.received[0], policy=email.policy.default)
    assert mail["From"] == '"Soporte, Señora" <support@example.com>'
    assert mail["To"] == TO
    assert mail["Subject"] == "Su petición"
    assert mail["Reply-To"] == "support+r-1@example.com"
    assert mail["Date"] == "Wed, 18 Nov 2026 12:00:00 +0000"
    assert mail["Message-ID"] == f"<{message_id}>"
    assert message_id.endswith("@example.com")
    assert mail.get_content().replace("\r\n", "\n") == "Hola.\n.\nAdiós ☎\n"
    assert sink.received[0].isascii()
    assert sink.envelopes == ["mail FROM:<support@example.com>", f"rcpt TO:<{TO}>"]


@pytest.mark.enable_socket
async def test_without_a_place_for_answers_there_is_none(
    sink: Sink, channel_to: Callable[..., SmtpChannel]
) -> None:
    await channel_to(reply_to="").deliver(TO, MESSAGE)
    assert b"Reply-To" not in sink.received[0]


@pytest.mark.parametrize(
    "message",
    [
        replace(MESSAGE, subject="a\r\nBcc: b@example.com"),
        replace(MESSAGE, subject="a\u2028b"),
        replace(MESSAGE, subject="x" * 201),
        replace(MESSAGE, text="x" * 65_537),
        replace(MESSAGE, text="a\x00b"),
        replace(MESSAGE, text="a\ud800b"),
        replace(MESSAGE, reference=""),
        replace(MESSAGE, reference="r@evil.example"),
        replace(MESSAGE, reference="r\n1"),
    ],
)
async def test_what_cannot_stand_in_a_mail_is_refused_before_anything_is_sent(
    message: Message,
) -> None:
    # Sockets are shut: a connection would fail this test.
    with pytest.raises(NotDeliveredError):
        await SmtpChannel(SERVER).deliver(TO, message)


@pytest.mark.enable_socket
async def test_a_server_without_tls_gets_neither_password_nor_mail(
    sink: Sink, channel_to: Callable[..., SmtpChannel]
) -> None:
    for security in (Security.STARTTLS, Security.TLS):
        channel = channel_to(security=security, user="guard", password=PASSWORD, deadline_s=1.0)
        with pytest.raises((NotDeliveredError, DeliveryUnknownError)):
            await channel.deliver(TO, MESSAGE)
    assert (sink.received, sink.envelopes) == ([], [])


@pytest.mark.enable_socket
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_server_that_proves_who_it_is_gets_password_and_mail_within_tls(
    sink: Sink, channel_to: Callable[..., SmtpChannel], tmp_path: Path, security: Security
) -> None:
    sink.tls, sink.is_tls_first = server_context(tmp_path), security is Security.TLS
    channel = channel_to(trusting_context(), security=security, user="guard", password=PASSWORD)
    message_id = await channel.deliver(TO, MESSAGE)
    assert email.message_from_bytes(sink.received[0])["Message-ID"] == f"<{message_id}>"
    assert sink.sign_ins == [b"\0guard\0" + PASSWORD.encode()]
    asked = [] if sink.is_tls_first else [b"ehlo example.com", b"STARTTLS"]
    assert sink.in_clear == asked


@pytest.mark.enable_socket
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize(("host", "trusts"), [("127.0.0.1", False), ("127.0.0.2", True)])
async def test_a_server_that_does_not_prove_who_it_is_gets_nothing(
    sink: Sink,
    channel_to: Callable[..., SmtpChannel],
    tmp_path: Path,
    security: Security,
    host: str,
    trusts: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    sink.tls, sink.is_tls_first = server_context(tmp_path, host), security is Security.TLS
    context = trusting_context() if trusts else None
    channel = channel_to(context, security=security, user="guard", password=PASSWORD)
    with pytest.raises(NotDeliveredError) as raised:
        await channel.deliver(TO, MESSAGE)
    assert (sink.received, sink.sign_ins, sink.envelopes) == ([], [], [])
    assert TO not in str(raised.value)


@pytest.mark.enable_socket
async def test_a_sign_in_that_is_not_offered_sends_nothing(
    sink: Sink, channel_to: Callable[..., SmtpChannel]
) -> None:
    with pytest.raises(NotDeliveredError):
        await channel_to(user="guard", password=PASSWORD).deliver(TO, MESSAGE)
    assert sink.received == []


async def test_what_waits_behind_a_silent_server_was_not_sent() -> None:
    # Sockets are shut: a connection would fail this test.
    channel = SmtpChannel(replace(SERVER, deadline_s=0.1))
    release = Event()
    for _ in range(THREADS):
        channel._pool.submit(release.wait, 20)  # noqa: SLF001 - stands for mails to a silent server
    with pytest.raises(NotDeliveredError, match="busy"):
        await channel.deliver(TO, MESSAGE)
    release.set()
    await channel.close()


@pytest.mark.parametrize("code", [354, 451])
def test_a_server_that_refuses_the_mail_itself_has_not_taken_it(code: int) -> None:
    class Refusing(smtplib.SMTP):
        def data(self, _msg: Any) -> Any:  # noqa: ANN401 - as the library
            raise smtplib.SMTPDataError(code, b"to maria@example.net")

    failure = SmtpChannel(SERVER)._handed_over(Refusing(local_hostname="x"), b"")  # noqa: SLF001 - no server does this
    assert isinstance(failure, NotDeliveredError)
    assert str(code) in str(failure)
    assert "maria" not in str(failure)


def test_a_refused_sender_sends_nothing() -> None:
    class Refusing(smtplib.SMTP):
        def ehlo_or_helo_if_needed(self) -> None:
            return

        def mail(self, _sender: str, _options: Any = ()) -> tuple[int, bytes]:  # noqa: ANN401 - as the library
            return 550, b"no"

    failure = SmtpChannel(SERVER)._offered(Refusing(local_hostname="x"), TO)  # noqa: SLF001 - no server does this
    assert isinstance(failure, NotDeliveredError)


@pytest.mark.parametrize(
    "address", ["a@b.co", "o'neil+x@mail.example.co.uk", "x_y%z@a-b.example", "a" * 64 + "@b.co"]
)
def test_ordinary_addresses_are_taken(address: str) -> None:
    assert is_mail_address(address)


def test_a_server_shows_no_password() -> None:
    assert PASSWORD not in repr(replace(SERVER, password=PASSWORD))
