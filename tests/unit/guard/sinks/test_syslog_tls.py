import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.errors import DeliveryUnknownError, NotDeliveredError, SourceError
from guard.sinks.sink import Event
from guard.sinks.syslog_tls import SyslogTlsSink
from tests.support.authority import server_context, trusting_context
from tests.support.collectors import Collector, Manner, collector

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
EVENTS = [Event(f"{n:032x}", b"7 message") for n in range(3)]


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Collector]:
    with collector(server_context(tmp_path)) as made:
        yield made


def sink(
    port: int,
    trusted: ssl.SSLContext | None = None,
    deadline_s: float = 20,
    *,
    bare_close: bool = False,
) -> SyslogTlsSink:
    return SyslogTlsSink(
        "siem",
        "127.0.0.1",
        port,
        trusted=trusted or trusting_context(),
        deadline_s=deadline_s,
        bare_close=bare_close,
    )


@pytest.mark.parametrize(
    ("manner", "bare_close"),
    [(Manner.TAKES, False), (Manner.TAKES, True), (Manner.TAKES_WITHOUT_GOOD_BYE, True)],
)
async def test_what_a_collector_has_read_is_taken(
    listening: Collector, manner: Manner, *, bare_close: bool
) -> None:
    listening.manner = manner
    made = sink(listening.port, bare_close=bare_close)
    await made.deliver(EVENTS)
    await made.close()
    assert listening.messages() == ["message"] * 3


async def test_an_end_without_good_bye_may_be_anybodys_and_is_not_believed(
    listening: Collector,
) -> None:
    listening.manner = Manner.TAKES_WITHOUT_GOOD_BYE
    with pytest.raises(DeliveryUnknownError, match="good-bye"):
        await sink(listening.port).deliver(EVENTS)


async def test_what_was_reset_may_have_been_taken_in_part(listening: Collector) -> None:
    listening.manner = Manner.RESETS
    with pytest.raises(DeliveryUnknownError):
        await sink(listening.port).deliver(EVENTS)


async def test_a_collector_that_says_nothing_is_given_up(listening: Collector) -> None:
    listening.manner = Manner.STALLS
    with pytest.raises(SourceError):
        await sink(listening.port, deadline_s=0.2).deliver(EVENTS)


async def test_a_stranger_gets_nothing(listening: Collector) -> None:
    with pytest.raises(NotDeliveredError, match="certificate"):
        await sink(listening.port, ssl.create_default_context()).deliver(EVENTS)
    assert b"".join(listening.received) == b""


async def test_nobody_there_is_not_delivered(listening: Collector) -> None:
    port = listening.port
    listening.over.set()
    with pytest.raises(SourceError):
        await sink(port + 1 if port < 65_535 else 1, deadline_s=1).deliver(EVENTS)
