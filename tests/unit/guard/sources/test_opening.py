from pathlib import Path

import pytest

from guard.errors import ConfigurationError
from guard.sources import CompositeSource, HttpSource, SqlSource, open_source
from tests.contracts.source_harness import CRM_TOML
from tests.contracts.source_records import CUSTOMERS, FIELDS, make_crm

pytestmark = pytest.mark.anyio

HTTP = """
[[source]]
name = "loyalty"
kind = "http"
base_url = "https://loyalty.example"
path = "/{key}"
optional = true
token_secret = "loyalty_token"
[source.fields]
points = "points"
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_shipped_example_serves_the_demonstration_crm(tmp_path: Path) -> None:
    secrets = {"crm_url": make_crm(tmp_path / "crm.db")}
    source = open_source(CRM_TOML.read_bytes(), "crm.toml", secrets=secrets)
    assert isinstance(source, SqlSource)
    record = await source.fetch("7", FIELDS)
    assert record is not None
    assert record.values == CUSTOMERS["7"]
    await source.close()


async def test_a_plain_url_needs_no_secret(tmp_path: Path) -> None:
    url = make_crm(tmp_path / "crm.db")
    text = CRM_TOML.read_text().replace('url_secret = "crm_url"', f'url = "{url}"')
    source = open_source(text.encode(), "crm.toml", secrets={})
    await source.check()
    await source.close()


async def test_several_sources_open_as_one(tmp_path: Path) -> None:
    secrets = {"crm_url": make_crm(tmp_path / "crm.db"), "loyalty_token": "t"}
    text = 'name = "profile"\n' + CRM_TOML.read_text() + HTTP
    source = open_source(text.encode(), "crm.toml", secrets=secrets)
    assert isinstance(source, CompositeSource)
    assert source.name == "profile"
    await source.check()
    await source.close()


async def test_an_api_without_a_token_needs_no_secret() -> None:
    text = HTTP.replace("optional = true\n", "").replace('token_secret = "loyalty_token"\n', "")
    source = open_source(text.encode(), "m.toml", secrets={})
    assert isinstance(source, HttpSource)
    await source.close()


@pytest.mark.parametrize("secrets", [{}, {"crm_url": ""}])
async def test_a_secret_that_is_not_set_is_named_with_its_line(secrets: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"crm\.toml:6: secret `crm_url` is not set"):
        open_source(CRM_TOML.read_bytes(), "crm.toml", secrets=secrets)
