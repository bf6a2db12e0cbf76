from pathlib import Path
from urllib.parse import quote

import pytest

from api.cli.demo.crm import CARD, NESTED, ORDER, PLAIN, SOURCE, make_crm, mapping_text
from guard.sources import open_source
from tests.support.rig import make_record

pytestmark = pytest.mark.anyio
FIELDS = frozenset({*PLAIN, *NESTED, "cards", "last_orders"})


async def read_back(path: Path, key: str) -> dict[str, object] | None:
    """What a broker gets through the mapping."""
    source = open_source(mapping_text(path).encode(), "crm.toml", secrets={})
    try:
        await source.check()
        record = await source.fetch(key, FIELDS)
    finally:
        await source.close()
    return None if record is None else dict(record.values)


async def test_a_record_comes_back_through_the_mapping_as_it_was_put(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    assert make_crm(path, [("1", make_record(1)), ("2", make_record(2))]) == 2
    assert await read_back(path, "2") == make_record(2)


async def test_a_customer_who_is_not_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    make_crm(path, [("1", make_record(1))])
    assert await read_back(path, "9") is None


async def test_each_customer_has_their_own_cards_and_orders(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    bare = make_record(1) | {"cards": None}
    make_crm(path, [("1", bare), ("2", make_record(2))])
    found = await read_back(path, "1")
    assert found is not None
    assert found["cards"] == []
    assert [set(order) for order in found["last_orders"]] == [set(ORDER)]  # type: ignore[attr-defined] # a list, as put


async def test_the_newest_order_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    orders = [
        {"id": f"o-{day}", "placed_on": f"2026-11-{day:02}", "total_minor": 1, "item": "x"}
        for day in (3, 17, 9)
    ]
    make_crm(path, [("1", make_record(1) | {"last_orders": orders})])
    found = await read_back(path, "1")
    assert found is not None
    listed: object = found["last_orders"]
    assert isinstance(listed, list)
    assert [order["id"] for order in listed] == ["o-17", "o-9", "o-3"]


async def test_a_folder_with_strange_letters_in_its_name_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" foldér'
    folder.mkdir()
    assert quote(folder.name) != folder.name
    make_crm(folder / "crm.db", [("1", make_record(1))])
    assert await read_back(folder / "crm.db", "1") == make_record(1)


async def test_the_mapping_names_the_source_and_every_column(tmp_path: Path) -> None:
    text = mapping_text(tmp_path / "crm.db")
    assert f'name = "{SOURCE}"' in text
    assert all(name in text for name in (*PLAIN, *NESTED, *CARD, *ORDER))
