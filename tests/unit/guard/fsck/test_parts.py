from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guard.entries import StoredEntry
from guard.fsck.faults import Faults
from guard.fsck.parts import Beside, Explained, NothingForgotten, PartsCheck
from guard.ledger.entry import decode_leaf
from tests.unit.guard.ledger.makers import LogMaker, make_subject


class AllForgotten:
    def may_lack_subject(self, tenant: str, ref: str, index: int) -> bool:
        return (tenant, index) == ("acme", 1) and ref.startswith("c")

    def may_lack_event(self, index: int) -> bool:
        return index == 1


@pytest.fixture
def log(tmp_path: Path) -> LogMaker:
    return LogMaker(tmp_path).grow(3)


def beside(entry: StoredEntry, **changes: Any) -> Beside:  # noqa: ANN401 - any field
    held = Beside(
        epoch=entry.epoch,
        event=entry.sealed_event,
        clear={"agent": "u-17", "kind": 16, "line": "[]"},
        subjects=list(zip(entry.refs, entry.sealed_subjects, strict=True)),
    )
    return replace(held, **changes)


def faults(log: LogMaker, held: Beside, explained: Explained | None = None) -> list[str]:
    found = Faults()
    check = PartsCheck(log.vault, explained or NothingForgotten(), found)
    check.check(1, decode_leaf(log.entries[1].leaf), held, log.subjects)
    return [f"{one.table}: {one.what}" for one in found.found]


def test_an_entry_as_it_was_written_has_no_fault(log: LogMaker) -> None:
    assert faults(log, beside(log.entries[1])) == []


def test_each_part_that_was_changed_lost_or_moved_is_told(log: LogMaker) -> None:
    one, other = log.entries[1], log.entries[2]
    ref, (part,) = one.refs[0], one.sealed_subjects
    stranger = make_subject(log.keyring, "9")
    log.subjects[stranger.ref] = stranger
    assert part is not None
    told = {
        "lost with its hash": beside(one, event=None),
        "was changed or moved": beside(one, event=other.sealed_event),
        "event part does not open": beside(one, epoch="acme/1999-01"),
        "column `agent`": beside(one, clear={"agent": "u-18"}),
        "part 0 was lost": beside(one, subjects=[(ref, None)]),
        "part 0 was changed": beside(one, subjects=[(ref, bytes(32) + part[32:])]),
        "relabelled": beside(one, subjects=[(stranger.ref, part)]),
        "does not exist": beside(one, subjects=[("nobody", part)]),
        "committed to": beside(one, subjects=[]),
        "is gone and no entry explains it": beside(one, subjects=[(ref, part[:32])]),
        "event part is gone": beside(one, event=(one.sealed_event or b"")[:32]),
    }
    for words, held in told.items():
        (fault,) = faults(log, held)
        assert words in fault


def test_what_an_entry_explains_may_be_gone(log: LogMaker) -> None:
    one = log.entries[1]
    (part,) = one.sealed_subjects
    held = beside(
        one, event=(one.sealed_event or b"")[:32], subjects=[(one.refs[0], (part or b"")[:32])]
    )
    assert len(faults(log, held)) == 2
    assert faults(log, held, AllForgotten()) == []


def test_a_customer_without_a_key_was_erased(log: LogMaker) -> None:
    row = log.subjects[log.subject.ref]
    log.subjects[row.ref] = replace(row, wrapped_key=None)
    (fault,) = faults(log, beside(log.entries[1]))
    assert "no entry explains it" in fault
    log.subjects[row.ref] = replace(row, bucket="lost")
    (fault,) = faults(log, beside(log.entries[1]))
    assert "part 0 does not open" in fault
