from dataclasses import replace
from typing import Any

import msgspec
import pytest

from guard.clock import DAY
from guard.entries import EntryKind, SealedPart, StoredEntry
from guard.errors import KeyUnavailableError, NotFoundError, ProofError
from guard.ledger import entry, merkle
from guard.ledger.entry import (
    Sealer,
    check_stored,
    decode_leaf,
    encode_leaf,
    open_entry,
    open_parts,
    tenant_of,
)
from tests.unit.guard.ledger.makers import NOW, WRITER, LogMaker, make_entry, make_subject, stored


def test_an_entry_opens_to_what_was_sealed(log: LogMaker) -> None:
    new = make_entry(customers=[log.subject])
    opened = open_entry(log.add(new), log.vault, log.subjects)
    assert opened.event == new.event
    assert opened.subjects == new.subjects
    assert opened.kind is EntryKind.VIEW
    assert opened.refs == (log.subject.ref,)
    assert bytes.fromhex(opened.entry_id) == decode_leaf(log.entries[0].leaf).entry_id


def test_a_leaf_has_ninety_bytes_and_says_nothing_of_the_customer(log: LogMaker) -> None:
    leaf = log.add(make_entry(customers=[log.subject])).leaf
    assert len(leaf) == entry.LEAF_SIZE
    assert encode_leaf(decode_leaf(leaf)) == leaf
    for word in (log.subject.ref, "u-17", "case-9", "acme"):
        assert word.encode() not in leaf


def test_no_stored_byte_shows_a_word_of_the_parts(log: LogMaker) -> None:
    one = log.add(make_entry(customers=[log.subject]))
    everything = b"".join(
        [one.leaf, one.sealed_event or b"", *(x or b"" for x in one.sealed_subjects)]
    )
    for word in (log.subject.ref, "u-17", "case-9", "call", "support_case"):
        assert word.encode() not in everything


def test_the_tag_counts_the_entries_of_one_customer(log: LogMaker) -> None:
    sealer, next_n = Sealer(log.vault, WRITER), {log.subject.ref: 7}
    new = make_entry(customers=[log.subject])
    tags = [
        sealer.seal(new, writer_seq=n, subjects=log.subjects, next_n=next_n).tag for n in range(2)
    ]
    assert tags == [log.vault.tag(log.subject, 7), log.vault.tag(log.subject, 8)]
    assert next_n == {log.subject.ref: 9}


def test_the_first_number_comes_from_the_row(log: LogMaker) -> None:
    row = replace(log.subject, next_n=3)
    next_n: dict[str, int] = {}
    sealed = Sealer(log.vault, WRITER).seal(
        make_entry(customers=[row]), writer_seq=0, subjects={row.ref: row}, next_n=next_n
    )
    assert sealed.tag == log.vault.tag(row, 3)
    assert next_n == {row.ref: 4}


@pytest.mark.parametrize("count", [0, 2])
def test_without_exactly_one_customer_the_tag_is_chance(log: LogMaker, count: int) -> None:
    others = [make_subject(log.keyring, str(n)) for n in range(count)]
    rows = {one.ref: one for one in others}
    sealer, next_n = Sealer(log.vault, WRITER), dict[str, int]()
    new = make_entry(customers=others)
    tags = {sealer.seal(new, writer_seq=n, subjects=rows, next_n=next_n).tag for n in range(3)}
    assert len(tags) == 3
    assert next_n == {}


def test_ids_are_unique_and_sort_by_time(log: LogMaker) -> None:
    ids = [decode_leaf(log.add(make_entry(at=NOW + n * 1000)).leaf).entry_id for n in range(20)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 20


def test_an_unknown_customer_cannot_be_sealed(log: LogMaker) -> None:
    new = make_entry(customers=[log.subject])
    next_n: dict[str, int] = {}
    with pytest.raises(NotFoundError):
        Sealer(log.vault, WRITER).seal(new, writer_seq=0, subjects={}, next_n=next_n)
    assert next_n == {}


def test_an_erased_customer_cannot_be_sealed(log: LogMaker) -> None:
    erased = replace(log.subject, wrapped_key=None)
    next_n: dict[str, int] = {}
    with pytest.raises(KeyUnavailableError):
        Sealer(log.vault, WRITER).seal(
            make_entry(customers=[erased]),
            writer_seq=0,
            subjects={erased.ref: erased},
            next_n=next_n,
        )
    assert next_n == {}


def test_a_writer_id_has_eight_bytes(log: LogMaker) -> None:
    assert Sealer(log.vault, WRITER).writer == WRITER
    with pytest.raises(ValueError, match="8 bytes"):
        Sealer(log.vault, b"short")


@pytest.mark.parametrize("kind", list(EntryKind))
def test_every_kind_round_trips(log: LogMaker, kind: EntryKind) -> None:
    assert decode_leaf(log.add(make_entry(kind)).leaf).kind is kind


@pytest.mark.parametrize(
    "encoded",
    [b"", b"\x00" * 90, b"\x02" * 90, b"\x01", b"\x01" * 89, b"\x01" * 91, b"\x01" + b"\xff" * 89],
)
def test_bytes_that_are_no_leaf_are_refused(encoded: bytes) -> None:
    with pytest.raises(ProofError):
        decode_leaf(encoded)


def test_one_customer_is_erased_without_the_other(log: LogMaker) -> None:
    other = make_subject(log.keyring, "2")
    log.subjects[other.ref] = other
    new = make_entry(customers=[log.subject, other])
    whole = log.add(new)
    first, second = whole.sealed_subjects
    assert first is not None
    erased = replace(whole, sealed_subjects=(first[:32], second))
    opened = open_entry(erased, log.vault, log.subjects)
    assert opened.subjects == (None, new.subjects[1])


def test_a_customer_without_a_key_or_row_stays_closed(log: LogMaker) -> None:
    whole = log.add(make_entry(customers=[log.subject]))
    keyless = {log.subject.ref: replace(log.subject, wrapped_key=None)}
    assert open_entry(whole, log.vault, keyless).subjects == (None,)
    assert open_entry(whole, log.vault, {}).subjects == (None,)


def _refused(log: LogMaker, changed: StoredEntry) -> None:
    with pytest.raises(ProofError) as caught:
        open_entry(changed, log.vault, log.subjects)
    assert caught.value.index == changed.index


def _flip(one: bytes, at: int) -> bytes:
    return one[:at] + bytes([one[at] ^ 1]) + one[at + 1 :]


def test_a_flip_of_any_stored_byte_is_found(log: LogMaker) -> None:
    log.grow(1)
    whole = log.add(make_entry(customers=[log.subject]))
    event, subject = whole.sealed_event or b"", whole.sealed_subjects[0] or b""
    for at in range(len(whole.leaf)):
        _refused(log, replace(whole, leaf=_flip(whole.leaf, at)))
        leaf = _flip(whole.leaf, at)
        if at == 0 or at >= 58 or 17 <= at < 25:
            _refused(log, replace(whole, leaf=leaf, leaf_hash=merkle.leaf_hash(leaf)))
    for at in range(32):
        _refused(log, replace(whole, leaf_hash=_flip(whole.leaf_hash, at)))
    for at in range(len(event)):
        _refused(log, replace(whole, sealed_event=_flip(event, at)))
    for at in range(len(subject)):
        _refused(log, replace(whole, sealed_subjects=(_flip(subject, at),)))


def test_lost_swapped_and_cut_parts_are_found(log: LogMaker) -> None:
    other = make_subject(log.keyring, "2")
    log.subjects[other.ref] = other
    whole = log.add(make_entry(customers=[log.subject, other]))
    twin = log.add(make_entry(customers=[log.subject, other]))
    event, (first, second) = whole.sealed_event or b"", whole.sealed_subjects
    assert first is not None
    for changed in (
        replace(whole, sealed_event=None),
        replace(whole, sealed_event=event[:31]),
        replace(whole, sealed_event=event[:32]),
        replace(whole, sealed_event=event[:40]),
        replace(whole, sealed_event=twin.sealed_event),
        replace(whole, sealed_event=event[:32] + (twin.sealed_event or b"")[32:]),
        replace(whole, sealed_subjects=(None, second)),
        replace(whole, sealed_subjects=(first[:31], second)),
        replace(whole, sealed_subjects=(second, first)),
        replace(whole, sealed_subjects=(first,)),
        replace(whole, sealed_subjects=(first, second, second)),
        replace(whole, sealed_subjects=twin.sealed_subjects),
        replace(whole, refs=(other.ref, log.subject.ref)),
        replace(whole, refs=whole.refs[:1]),
        replace(whole, leaf=twin.leaf, leaf_hash=twin.leaf_hash),
    ):
        _refused(log, changed)


def test_clear_columns_that_contradict_the_part_are_found(log: LogMaker) -> None:
    whole = log.add(make_entry(customers=[log.subject]))
    row = replace(log.subject, ref="cother")
    sealed = _forge(log, msgspec.json.encode({"customer": "cother", "v": 1}), whole)
    _refused(log, sealed)
    assert row.ref not in log.subjects


def _forge(log: LogMaker, part: bytes, whole: StoredEntry) -> StoredEntry:
    """Another subject part with a commitment to match, as somebody with all keys could make it."""
    leaf = decode_leaf(whole.leaf)
    plain = bytes(32) + part
    hashes = [(whole.sealed_event or b"")[:32], entry.inner_hash(plain)]
    changed = encode_leaf(replace(leaf, commitment=merkle.tree_root(hashes)))
    sealed = log.vault.seal_subject(log.subject, leaf.entry_id, plain)
    return replace(
        whole,
        leaf=changed,
        leaf_hash=merkle.leaf_hash(changed),
        sealed_subjects=(hashes[1] + sealed,),
    )


@pytest.mark.parametrize("part", [b"", b"{}", b"[1]", b"{", b'{"customer": 5}', b"\xff"])
def test_a_part_of_an_unknown_format_is_refused(log: LogMaker, part: bytes) -> None:
    whole = log.add(make_entry(customers=[log.subject]))
    _refused(log, _forge(log, part, whole))


def test_a_part_that_opens_but_was_not_committed_is_refused(log: LogMaker) -> None:
    whole = log.add(make_entry(customers=[log.subject]))
    leaf = decode_leaf(whole.leaf)
    honest = whole.sealed_subjects[0] or b""
    sealed = log.vault.seal_subject(log.subject, leaf.entry_id, bytes(32) + b'{"customer":"x"}')
    _refused(log, replace(whole, sealed_subjects=(honest[:32] + sealed,)))


def test_an_epoch_that_the_keyring_does_not_hold_is_a_missing_key(log: LogMaker) -> None:
    whole = log.add(make_entry())
    with pytest.raises(KeyUnavailableError):
        open_entry(replace(whole, epoch="acme/1999-01"), log.vault, log.subjects)


def test_each_month_has_its_own_epoch(log: LogMaker) -> None:
    first, second = log.add(make_entry()), log.add(make_entry(at=NOW + 40 * DAY))
    assert (first.epoch, second.epoch) == ("acme/2025-11", "acme/2026-01")
    assert entry.tenant_of("a/b/2026-01") == "a/b"


def test_checking_needs_no_key(log: LogMaker) -> None:
    whole = log.add(make_entry(customers=[log.subject]))
    assert check_stored(whole).writer == WRITER
    sealed = Sealer(log.vault, WRITER).seal(make_entry(), writer_seq=4, subjects={}, next_n={})
    assert check_stored(stored(sealed, 5)).writer_seq == 4


def part_of(log: LogMaker, **changes: Any) -> SealedPart:  # noqa: ANN401 - any part of it
    sealed = log.add(make_entry(customers=[log.subject]))
    values: dict[str, Any] = {
        "position": 5,
        "entry_id": decode_leaf(sealed.leaf).entry_id,
        "kind": EntryKind.VIEW.value,
        "epoch": sealed.epoch,
        "sealed": sealed.sealed_event,
    }
    position, entry_id, kind, epoch, part = (values | changes).values()
    return position, entry_id, kind, epoch, part


def test_event_parts_open_by_themselves_and_an_erased_one_is_empty(log: LogMaker) -> None:
    *_, sealed = whole = part_of(log)
    parts = [whole, part_of(log, position=6, sealed=(sealed or b"")[:32])]
    (position, kind, opened), erased = open_parts(parts, tenant_of(whole[3]), log.vault)
    assert (position, kind) == (5, EntryKind.VIEW)
    assert msgspec.json.decode(opened)["kind"] == "view"
    assert erased == (6, EntryKind.VIEW, b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"entry_id": bytes(16)},
        {"entry_id": bytes(15)},
        {"sealed": None},
        {"sealed": bytes(31)},
        {"sealed": bytes(33)},
        {"epoch": "other/2026-11"},
    ],
)
def test_an_event_part_opens_nowhere_else_and_not_when_it_is_gone(
    log: LogMaker, changes: dict[str, Any]
) -> None:
    tenant = tenant_of(part_of(log)[3])
    with pytest.raises(ProofError, match="entry 5: ") as caught:
        list(open_parts([part_of(log, **changes)], tenant, log.vault))
    assert caught.value.index == 5
