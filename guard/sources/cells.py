"""What stands in a database's cells, brought to JSON's kinds, and keys brought to a column's."""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from uuid import UUID

import msgspec

# 18 digits fit into every engine's 64-bit integer.
LONGEST_NUMBER = 18


def cell_value(cell: object, *, is_json: bool) -> object:
    """Bring a driver's value to JSON's kinds.

    Raises:
        ValueError: It has none, or JSON was promised and is not there.
        RecursionError: The JSON is nested without end.
    """
    match cell:
        case None | bool() | int() | float():
            return cell
        case str():
            return msgspec.json.decode(cell) if is_json else cell
        case date() | time():
            return cell.isoformat()
        case Decimal():
            return format(cell, "f")
        case UUID():
            return str(cell)
        case Mapping() | list():
            return cell
        case _:
            raise ValueError("a kind that JSON does not have")


def key_value(key: str, kind: type) -> str | int | UUID | None:
    """A key as its column has it; None if that is not how the source itself would write it.

    `007` and `7` must not both lead to one customer, who would be counted as two.
    """
    if kind is str:
        return key
    if kind is int:
        is_number = key.isascii() and key.lstrip("-").isdigit() and len(key) <= LONGEST_NUMBER
        # One sign at most: `--7` is no number, and int() would say so with the key in its text.
        is_number = is_number and not key.startswith("--")
        return int(key) if is_number and str(int(key)) == key else None
    try:
        return UUID(key) if str(UUID(key)) == key else None
    except ValueError:
        return None
