"""Whatever is changed in a table of the log, the deep check finds it.

Random rows of random tables are deleted, doubled or changed in a random column: a byte, a letter, a
number, half of the value, all of it, nothing. 60 in the quick form, 1,000 in the full one.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from tests.conftest import FULL
from tests.tamper.stand import Stand

T = TypeVar("T")
COUNT = 1_000 if FULL else 60
TABLES = (
    "entry",
    "detail_event",
    "detail_subject",
    "pending",
    "checkpoint",
    "late_link",
    "tree_head",
    "legal_hold",
    "erasure",
    "hold_back",
    "dispute",
)
# What says nothing about the log: a number of the queue, and when a row was written. What stands
# in no entry: a bucket. What entries tell to the minute, and these changes are of less.
SILENT = {
    ("pending", "id"),
    ("checkpoint", "at"),
    ("erasure", "bucket"),
    # Any number but 0 is as true as 1.
    ("erasure", "is_noted"),
    ("legal_hold", "set_at"),
    ("legal_hold", "lift_at"),
    ("legal_hold", "lifted_at"),
    ("erasure", "proposed_at"),
    ("erasure", "approved_at"),
    ("hold_back", "proposed_at"),
    ("hold_back", "approved_at"),
    ("dispute", "at"),
}


class Chance:
    """Choices that are the same on every run."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def below(self, end: int) -> int:
        return int(self._rng.integers(end))

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]


def changed(value: object, rng: Chance) -> object:
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + rng.one_of([-1, 1, 7, 256, 10**6, -value - 1])
    if isinstance(value, bytes) and value:
        at = rng.below(len(value))
        flipped = value[:at] + bytes([value[at] ^ 1 << rng.below(8)]) + value[at + 1 :]
        return rng.one_of([flipped, flipped, value[:at], value + b"\0", value[:32], b""])
    text = str(value or "")
    at = rng.below(len(text) + 1)
    return rng.one_of([text[:at] + "x" + text[at:], text[:at] + text[at + 1 :], "", "other"])


def rows_of(file: sqlite3.Connection, table: str) -> tuple[Sequence[str], list[tuple[object, ...]]]:
    cursor = file.execute(f"SELECT rowid, * FROM {table}")  # noqa: S608 - a name from this file
    return [one[0] for one in cursor.description], cursor.fetchall()


def tamper(file: sqlite3.Connection, rng: Chance) -> str | None:
    """Do something to a row; says what, or None if that would have changed nothing."""
    table = rng.one_of(TABLES)
    names, rows = rows_of(file, table)
    row = rng.one_of(rows)
    act = rng.one_of(["delete", "change", "change", "change", "swap"])
    if act == "delete":
        if table == "checkpoint" and row != rows[-1]:
            return None  # an older one can be had again from the entries: nothing is lost
        file.execute(f"DELETE FROM {table} WHERE rowid = ?", row[:1])  # noqa: S608 - as above
        return f"delete {row[0]} of {table}"
    column = 1 + rng.below(len(names) - 1)
    if (table, names[column]) in SILENT:
        return None
    value = rng.one_of(rows)[column] if act == "swap" else changed(row[column], rng)
    if value == row[column]:
        return None
    statement = f"UPDATE {table} SET {names[column]} = ? WHERE rowid = ?"  # noqa: S608 - as above
    try:
        file.execute(statement, (value, row[0]))
    except sqlite3.IntegrityError:
        return None  # the database itself refuses
    return f"{act} {names[column]} of {row[0]} of {table} to {value!r}"


def test_every_tampering_is_found(whole: Stand, tmp_path: Path) -> None:
    rng = Chance(20261122)  # the same tampers on every run
    missed, done = [], Counter[str]()
    held = tmp_path / "held"
    stand = whole.copy(held)
    intact = stand.database.read_bytes()
    while done.total() < COUNT:
        stand.database.write_bytes(intact)
        with closing(sqlite3.connect(stand.database)) as file, file:
            what = tamper(file, rng)
        if what is None:
            continue
        done[what.split()[0]] += 1
        report = stand.fsck()
        if not report.faults:
            missed.append(what)
    assert missed == []
    assert done.total() == COUNT
    assert len(done) == 3
