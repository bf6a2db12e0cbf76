"""One suite for every kind of record source."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guard.errors import SourceError
from guard.ports import RecordSource
from tests.contracts.source_harness import MAKERS, Harness
from tests.contracts.source_records import CANARY, CUSTOMERS, FIELDS

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=sorted(MAKERS))
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    made = MAKERS[request.param](tmp_path)
    yield made
    await made.source.close()


@pytest.fixture
def source(harness: Harness) -> RecordSource:
    return harness.source


async def values(source: RecordSource, key: str, *paths: str) -> dict[str, object] | None:
    record = await source.fetch(key, frozenset(paths))
    return None if record is None else dict(record.values)


async def test_a_customer_is_found_with_every_field(source: RecordSource) -> None:
    await source.check()
    assert await values(source, "7", *FIELDS) == CUSTOMERS["7"]


@pytest.mark.parametrize(
    "key",
    [
        "8",
        "",
        "07",
        " 7",
        "7 ",
        "+7",
        "seven",
        "7/../100",
        "..",
        "\x00",
        "9" * 40,
        "\u0667",
        "x" * 999,
    ],
)
async def test_a_customer_who_does_not_exist_is_none(source: RecordSource, key: str) -> None:
    assert await source.fetch(key, FIELDS) is None
    assert await source.fetch(key, frozenset()) is None


async def test_only_the_asked_fields_come(source: RecordSource) -> None:
    assert await values(source, "7", "plan") == {"plan": "gold"}
    assert await values(source, "7", "plan", "phone") == {"plan": "gold", "phone": None}


async def test_a_record_without_asked_fields_exists_and_is_empty(source: RecordSource) -> None:
    assert await values(source, "7") == {}


async def test_fields_that_the_source_does_not_offer_are_absent(source: RecordSource) -> None:
    asked = ("plan", "password_hash", "id", "cards.number", "cards[]", "*")
    assert await values(source, "7", *asked) == {"plan": "gold"}


async def test_nested_fields_and_lists_come_whole(source: RecordSource) -> None:
    found = await values(source, "7", "address", "cards", "last_orders")
    assert found == {name: CUSTOMERS["7"][name] for name in ("address", "cards", "last_orders")}


async def test_an_empty_list_is_an_empty_list(source: RecordSource) -> None:
    assert await values(source, "100", "cards", "id_document") == {"cards": [], "id_document": None}


async def test_text_of_any_script_comes_unchanged(source: RecordSource) -> None:
    assert await values(source, "7", "full_name") == {"full_name": CUSTOMERS["7"]["full_name"]}


async def test_reads_at_the_same_time_agree_with_reads_one_by_one(source: RecordSource) -> None:
    keys = [*CUSTOMERS, "8", *CUSTOMERS]
    sets = [FIELDS, frozenset({"plan"}), frozenset({"cards", "email"})]
    asks = [(key, paths) for key in keys for paths in sets]
    found = await asyncio.gather(*(source.fetch(key, paths) for key, paths in asks))
    for (key, paths), record in zip(asks, found, strict=True):
        expected = CUSTOMERS.get(key)
        seen = None if record is None else record.values
        assert seen == (None if expected is None else {name: expected[name] for name in paths})


async def test_what_one_caller_does_with_its_record_is_not_seen_by_another(
    source: RecordSource,
) -> None:
    one, two = await asyncio.gather(*(source.fetch("7", frozenset({"plan"})) for _ in range(2)))
    assert one is not None
    assert two is not None
    assert isinstance(one.values, dict)
    one.values["plan"] = "changed"
    assert two.values == {"plan": "gold"}
    assert await values(source, "7", "plan") == {"plan": "gold"}


async def test_a_cancelled_caller_harms_nobody(source: RecordSource) -> None:
    keys = [key for key in CUSTOMERS if key != "7"]
    tasks = [asyncio.create_task(source.fetch(key, frozenset({"plan"}))) for key in keys]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for answer in done[1::2]:
        assert not isinstance(answer, BaseException)
        assert answer is not None
        assert answer.values == {"plan": "free"}
    assert await values(source, "7", "plan") == {"plan": "gold"}


async def test_a_failure_is_a_source_error_without_any_value(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    harness.break_it()
    with pytest.raises(SourceError) as caught:
        await harness.source.fetch("7", FIELDS)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert CANARY not in told
    assert "select" not in str(caught.value).lower()
    assert "`" in str(caught.value)


async def test_nothing_of_a_customer_is_logged(
    source: RecordSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await source.fetch("159", FIELDS)
    assert "159" not in caplog.text


async def test_a_raw_record_prints_nothing(source: RecordSource) -> None:
    record = await source.fetch("7", FIELDS)
    assert CANARY not in f"{record!r} {record}"


async def test_a_closed_source_raises_and_closing_twice_is_fine(source: RecordSource) -> None:
    await source.close()
    await source.close()
    with pytest.raises(SourceError, match="closed"):
        await source.fetch("7", FIELDS)
    with pytest.raises(SourceError, match="closed"):
        await source.check()
