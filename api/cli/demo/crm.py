"""The demo company's own CRM: a SQLite file that the broker knows through a mapping only.

It plays somebody else's system, so it is made with plain SQL here and not by the store; the broker
reads it as it would read any company's database (`guard.sources`).
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

SOURCE = "crm"
PLAIN = (
    "full_name",
    "email",
    "phone",
    "birth_date",
    "national_id",
    "balance_minor",
    "iban",
    "notes",
    "plan",
    "member_since",
)
NESTED = ("address", "id_document", "preferences")
CARD = ("brand", "number", "expiry")
ORDER = ("id", "placed_on", "total_minor", "item")

_TABLES = f"""
CREATE TABLE customers (id TEXT PRIMARY KEY, {", ".join((*PLAIN, *NESTED))});
CREATE TABLE cards (customer_id TEXT NOT NULL, {", ".join(CARD)});
CREATE TABLE orders (customer_id TEXT NOT NULL, {", ".join(ORDER)});
CREATE INDEX cards_of ON cards (customer_id);
CREATE INDEX orders_of ON orders (customer_id);
"""


def make_crm(path: Path, rows: Iterable[tuple[str, Mapping[str, object]]]) -> int:
    """Write the CRM's file from (key, record) pairs; how many customers it holds."""
    customers: list[tuple[object, ...]] = []
    cards: list[tuple[object, ...]] = []
    orders: list[tuple[object, ...]] = []
    for key, row in rows:
        nested = (json.dumps(row[name], ensure_ascii=False) for name in NESTED)
        customers.append((key, *(row[name] for name in PLAIN), *nested))
        cards += _items(key, row["cards"], CARD)
        orders += _items(key, row["last_orders"], ORDER)
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(_TABLES)
        for table, items in (("customers", customers), ("cards", cards), ("orders", orders)):
            marks = ", ".join("?" * len(items[0]))
            file.executemany(f"INSERT INTO {table} VALUES ({marks})", items)  # noqa: S608 - our own three names
    return len(customers)


def _items(key: str, items: object, columns: tuple[str, ...]) -> list[tuple[object, ...]]:
    listed = items if isinstance(items, list) else []
    return [(key, *(item[name] for name in columns)) for item in listed]


def mapping_text(path: Path) -> str:
    """The mapping of this CRM, as `docs/examples/crm.toml` explains it."""
    fields = [f'{name} = "{name}"' for name in PLAIN]
    fields += [f'{name} = {{ column = "{name}", json = true }}' for name in NESTED]
    cards = ", ".join(f'{name} = "{name}"' for name in CARD)
    orders = ", ".join(f'{name} = "{name}"' for name in ORDER)
    return "\n".join(
        [
            "[[source]]",
            f'name = "{SOURCE}"',
            'kind = "sql"',
            f"url = {json.dumps(f'sqlite:///{path.absolute()}')}",
            'table = "customers"',
            'key = "id"',
            "",
            "[source.fields]",
            *fields,
            "",
            "[[source.child]]",
            'field = "cards"',
            'table = "cards"',
            'key = "customer_id"',
            "limit = 20",
            f"columns = {{ {cards} }}",
            "",
            "[[source.child]]",
            'field = "last_orders"',
            'table = "orders"',
            'key = "customer_id"',
            'order = "-placed_on"',
            "limit = 10",
            f"columns = {{ {orders} }}",
            "",
        ]
    )
