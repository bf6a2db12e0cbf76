import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from guard.entries import EntryKind
from guard.errors import ProofError
from guard.evidence.revealing import show
from guard.ledger.entry import inner_hash
from tests.unit.guard.ledger.makers import LogMaker, make_entry, make_subject


@pytest.fixture
def log(tmp_path: Path) -> LogMaker:
    made = LogMaker(tmp_path)
    other = make_subject(made.keyring, "2")
    made.subjects[other.ref] = other
    made.add(make_entry(EntryKind.SEARCH, customers=list(made.subjects.values())))
    return made


def test_of_other_customers_there_is_only_the_hash(log: LogMaker) -> None:
    (entry,) = log.entries
    line = json.loads(show(entry, log.vault, log.subjects, only=log.subject.ref, leaf=True))
    event, own, other = line["parts"]
    assert b64decode(line["leaf"]) == entry.leaf
    assert json.loads(b64decode(own["open"])[32:])["customer"] == log.subject.ref
    assert inner_hash(b64decode(event["open"])) == (entry.sealed_event or b"")[:32]
    assert other == {"hash": (entry.sealed_subjects[1] or b"")[:32].hex()}


def test_what_was_erased_is_a_hash_and_the_rest_is_shown(log: LogMaker) -> None:
    (entry,) = log.entries
    parts = tuple((part or b"")[:32] for part in entry.sealed_subjects)
    erased = replace(entry, sealed_subjects=parts, sealed_event=(entry.sealed_event or b"")[:32])
    line = json.loads(show(erased, log.vault, log.subjects, only=None, leaf=False))
    assert [list(part) for part in line["parts"]] == [["hash"]] * 3
    assert "leaf" not in line
    forgotten = {ref: replace(row, wrapped_key=None) for ref, row in log.subjects.items()}
    line = json.loads(show(entry, log.vault, forgotten, only=None, leaf=False))
    assert [list(part) for part in line["parts"]] == [["open"], ["hash"], ["hash"]]


def test_an_entry_that_does_not_hold_is_not_shown(log: LogMaker) -> None:
    (entry,) = log.entries
    with pytest.raises(ProofError, match="entry 0"):
        show(replace(entry, leaf_hash=bytes(32)), log.vault, log.subjects, only=None, leaf=True)
