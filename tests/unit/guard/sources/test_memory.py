import pytest

from guard.errors import SourceError
from guard.sources import MemorySource


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_record_is_read_as_it_is_now() -> None:
    records = {"7": {"plan": "gold"}}
    source = MemorySource("m", records)
    records["7"] = {"plan": "free"}
    record = await source.fetch("7", frozenset({"plan", "email"}))
    assert record is not None
    assert record.values == {"plan": "free"}
    assert await source.fetch("8", frozenset()) is None


@pytest.mark.anyio
async def test_what_is_not_a_record_and_a_closed_source_are_errors() -> None:
    source = MemorySource("m", {"7": ["secret"]})  # type: ignore[dict-item]  # the point of the test
    with pytest.raises(SourceError, match="`m` holds something that is not a record"):
        await source.fetch("7", frozenset())
    await source.close()
    with pytest.raises(SourceError, match="`m` is closed"):
        await source.check()
