"""What every contact channel promises, against real servers on loopback."""

import socket
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from guard.contacts import Contacts, open_contacts
from guard.errors import DeliveryUnknownError, NotDeliveredError, SourceError
from guard.ports import ContactChannel, Message
from tests.support.sinks import Manner, Sink, http_sink, smtp_sink

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]

SECRETS = {"cti": "whsec_" + "QUJD" * 8}
MESSAGE = Message(
    subject="Your request", text="We called you.\n.\nBye", sender="u17", reference="r-1_2"
)
SMTP = """
[[channel]]
name = "{name}"
kind = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
from = "support@example.com"
from_name = "Support"
reply_to = "support+{{reference}}@example.com"
deadline_ms = {deadline}
"""
WEBHOOK = """
[[channel]]
name = "{name}"
kind = "webhook"
url = "http://127.0.0.1:{port}/calls"
secret = "cti"
deadline_ms = {deadline}
"""


@dataclass
class Case:
    """A channel, the server behind it, and an address for it."""

    channel: ContactChannel
    hurried: ContactChannel
    sink: Sink
    address: str
    odd: tuple[str, ...]


@pytest.fixture(params=["smtp", "webhook"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    is_mail = request.param == "smtp"
    with smtp_sink() if is_mail else http_sink() as sink:
        patient, hurried = (opened(is_mail, sink.port, ms) for ms in (15_000, 300))
        yield Case(
            channel=patient.channels["mail" if is_mail else "call"],
            hurried=hurried.channels["mail" if is_mail else "call"],
            sink=sink,
            address="maria.gonzalez@example.net" if is_mail else "+34612345678",
            odd=ODD_MAILS if is_mail else ODD_NUMBERS,
        )
        await patient.close()
        await hurried.close()


ODD_MAILS = (
    "",
    "maria",
    "maria@example",
    "a@b.com\r\nBcc: c@d.com",
    "a@b.com,c@d.com",
    "<a@b.com>",
    'A "<a@b.com>"',
    "a@b.com> SIZE=1",
    "..a@b.com",
    "a@" + "b" * 250 + ".com",
    "mar\u00eda@example.com",
    "a@b.com\x00",
)
ODD_NUMBERS = ("", "+34612345678\r\nx: y", "1" * 255, "+34\x00612", "\u202e+34612345678")


def opened(is_mail: bool, port: int, deadline_ms: int) -> Contacts:  # noqa: FBT001 - of two kinds one
    text = (SMTP if is_mail else WEBHOOK).format(
        name="mail" if is_mail else "call", port=port, deadline=deadline_ms
    )
    return open_contacts(text.encode(), "contacts.toml", secrets=SECRETS)


async def test_a_message_is_delivered_once(case: Case) -> None:
    first = await case.channel.deliver(case.address, MESSAGE)
    assert first
    assert case.address not in first
    assert len(case.sink.received) == 1
    assert b"r-1_2" in case.sink.received[0]
    await case.channel.deliver(case.address, MESSAGE)
    assert len(case.sink.received) == 2


@pytest.mark.parametrize("manner", [Manner.REFUSES, Manner.REFUSES_RECIPIENT])
async def test_a_refusal_is_surely_no_delivery(case: Case, manner: Manner) -> None:
    case.sink.manner = manner
    with pytest.raises(NotDeliveredError) as caught:
        await case.channel.deliver(case.address, MESSAGE)
    says_nothing(caught.value, case.address)


@pytest.mark.parametrize("manner", [Manner.STALLS, Manner.CLOSES])
async def test_silence_after_the_message_is_an_unknown_outcome(case: Case, manner: Manner) -> None:
    case.sink.manner = manner
    channel = case.hurried if manner is Manner.STALLS else case.channel
    with pytest.raises(DeliveryUnknownError) as caught:
        await channel.deliver(case.address, MESSAGE)
    assert len(case.sink.received) == 1
    says_nothing(caught.value, case.address)


async def test_a_failure_after_the_message_is_told_without_the_address(case: Case) -> None:
    case.sink.manner = Manner.FAILS
    with pytest.raises(SourceError) as caught:
        await case.channel.deliver(case.address, MESSAGE)
    says_nothing(caught.value, case.address)


async def test_who_cannot_be_reached_has_taken_nothing(case: Case) -> None:
    is_mail = case.channel.name == "mail"
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    contacts = opened(is_mail, port, 15_000)
    with pytest.raises(NotDeliveredError) as caught:
        await contacts.channels[case.channel.name].deliver(case.address, MESSAGE)
    says_nothing(caught.value, case.address)
    await contacts.close()


async def test_an_odd_address_is_refused_before_anything_is_sent(case: Case) -> None:
    for odd in case.odd:
        with pytest.raises(NotDeliveredError) as caught:
            await case.channel.deliver(odd, MESSAGE)
        if odd:
            says_nothing(caught.value, odd)
    assert case.sink.connections == 0


def says_nothing(error: BaseException, address: str) -> None:
    """The address is in no part of the error, nor in what hangs on to it."""
    seen: BaseException | None = error
    while seen is not None:
        assert address not in f"{seen!r} {seen}"
        assert not isinstance(seen, OSError) or seen.filename is None
        seen = seen.__cause__ or seen.__context__
