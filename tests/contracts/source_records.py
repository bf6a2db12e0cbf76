"""The customers that every source of the contract suite holds, and the CRM database of them."""

import json
import sqlite3
from pathlib import Path

CANARY = "zq-canary-Wm4tKx9f"

CUSTOMERS: dict[str, dict[str, object]] = {
    "7": {
        "full_name": "Zoë 李明 👩‍👩‍👧",
        "email": "zoe@example.org",
        "phone": None,
        "birth_date": "1990-02-03",
        "national_id": CANARY,
        "address": {"street": "12 Elm Row", "city": "Łódź", "postcode": "90-001", "country": "PL"},
        "balance_minor": -1250,
        "iban": "DE89370400440532013000",
        "id_document": {"kind": "passport", "number": "X1234567", "image_url": None},
        "notes": f"Line one\nline two {CANARY}",
        "preferences": {"language": "pl", "marketing": False},
        "plan": "gold",
        "member_since": "2019-05-01",
        "cards": [
            {"brand": "visa", "number": "4111111111111111", "expiry": "12/27"},
            {"brand": "mastercard", "number": "5555555555554444", "expiry": "01/28"},
        ],
        "last_orders": [
            {"id": 12, "placed_on": "2026-02-01", "total_minor": 999, "item": "lamp"},
            {"id": 11, "placed_on": "2026-01-01", "total_minor": 5, "item": "shade"},
        ],
    },
    **{
        str(n): {
            "full_name": f"Customer {n}",
            "email": f"c{n}@example.org",
            "phone": f"+49170{n:07}",
            "birth_date": None,
            "national_id": f"ID{n}",
            "address": {"street": f"{n} Elm Row", "city": "Bonn", "postcode": "1", "country": "DE"},
            "balance_minor": n,
            "iban": None,
            "id_document": None,
            "notes": "",
            "preferences": {"language": "de", "marketing": True},
            "plan": "free",
            "member_since": "2020-01-01",
            "cards": [],
            "last_orders": [],
        }
        for n in range(100, 160)
    },
}
FIELDS = frozenset(CUSTOMERS["7"])

_JSON = ("address", "id_document", "preferences")

_SCHEMA = """
create table customers (
    id integer primary key, full_name text, email text, phone text, birth_date date,
    national_id text, address text, balance_minor integer, iban text, id_document text,
    notes text, preferences text, plan text, member_since date, password_hash text
);
create table cards (
    id integer primary key, customer_id integer not null, brand text, number text, expiry text
);
create index cards_by_customer on cards (customer_id);
create table orders (
    id integer primary key, customer_id integer not null, placed_on date, total_minor integer,
    item text
);
create index orders_by_customer on orders (customer_id);
"""


def make_crm(path: Path) -> str:
    """Write the CRM's database and give its URL."""
    with sqlite3.connect(path) as db:
        db.executescript(_SCHEMA)
        for key, record in CUSTOMERS.items():
            row = {k: v for k, v in record.items() if k not in ("cards", "last_orders")}
            for name in _JSON:
                row[name] = None if row[name] is None else json.dumps(row[name])
            row |= {"id": int(key), "password_hash": CANARY}
            marks = ", ".join(f":{name}" for name in row)
            db.execute(f"insert into customers ({', '.join(row)}) values ({marks})", row)  # noqa: S608 - names of this file
            for card in _items(record, "cards"):
                db.execute(
                    "insert into cards (customer_id, brand, number, expiry) values (?, ?, ?, ?)",
                    (int(key), card["brand"], card["number"], card["expiry"]),
                )
            for order in reversed(_items(record, "last_orders")):
                db.execute(
                    "insert into orders values (?, ?, ?, ?, ?)",
                    (
                        order["id"],
                        int(key),
                        order["placed_on"],
                        order["total_minor"],
                        order["item"],
                    ),
                )
    db.close()
    return f"sqlite:///{path}"


def _items(record: dict[str, object], field: str) -> list[dict[str, object]]:
    items = record[field]
    return list(items) if isinstance(items, list) else []
