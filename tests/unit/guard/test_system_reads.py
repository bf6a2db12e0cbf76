import asyncio

import pytest

from guard.errors import KeyUnavailableError, SourceError
from guard.rows import RawRecord
from guard.sources.memory import MemorySource
from guard.system_reads import SystemReads
from guard.vault.keyring import Keyring
from policies.model import Tier
from tests.support.makers import TENANT, make_subject

pytestmark = pytest.mark.anyio

FIELDS = frozenset({"email"})


class Silent(MemorySource):
    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        assert key
        assert paths
        await asyncio.Event().wait()
        return None


@pytest.fixture
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    keys = tmp_path_factory.mktemp("keys")
    return Keyring.open((keys / "root.key").as_uri(), keys / "keyring.json")


async def test_only_the_named_fields_of_the_one_record_are_read(keyring: Keyring) -> None:
    subject = keyring.new_subject(TENANT, "eu", "crm", "17", Tier.STANDARD, is_decoy=False)
    source = MemorySource("crm", {"17": {"email": "m@example.com", "phone": "1"}})
    reads = SystemReads({"crm": source}, keyring, deadline_s=20.0)
    raw = await reads.read(subject, FIELDS)
    assert raw is not None
    assert dict(raw.values) == {"email": "m@example.com"}
    gone = keyring.new_subject(TENANT, "eu", "crm", "18", Tier.STANDARD, is_decoy=False)
    assert await reads.read(gone, FIELDS) is None


async def test_an_unknown_or_silent_source_is_an_error_without_the_key(keyring: Keyring) -> None:
    subject = keyring.new_subject(TENANT, "eu", "crm", "4711", Tier.STANDARD, is_decoy=False)
    for sources in ({}, {"crm": Silent("crm", {})}):
        with pytest.raises(SourceError) as caught:
            await SystemReads(sources, keyring, deadline_s=0.01).read(subject, FIELDS)
        assert "4711" not in str(caught.value)


async def test_an_erased_customer_cannot_be_read(keyring: Keyring) -> None:
    reads = SystemReads({"crm": MemorySource("crm", {})}, keyring, deadline_s=20.0)
    with pytest.raises(KeyUnavailableError):
        await reads.read(make_subject(wrapped_key=None), FIELDS)
