"""Whoever changes the ledger behind the broker's back is found, and the entry is named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from api.audit import Verdict, verify_store
from guard.entries import StoredEntry
from guard.errors import ForkError, ProofError
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.merkle import HASH_SIZE, CompactRange
from guard.ledger.note import NoteSigner
from guard.ports import ReadView
from tests.support.rig import Rig, make_caller
from tests.unit.api.tampered import tampered

pytestmark = pytest.mark.anyio
VIEWS = 3


@pytest.fixture
async def morning(rig: Rig) -> Rig:
    """A customer with several entries of their own."""
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    for _ in range(VIEWS):
        await rig.broker.view(make_caller(), rig.asks(ref, case))
    return rig


def signer(rig: Rig) -> NoteSigner:
    return NoteSigner("t", rig.keyring.signing_key("t"))


def verify(rig: Rig, tamper: Callable[[ReadView], ReadView] = lambda view: view) -> Verdict:
    with rig.store.read() as view:
        return verify_store(tamper(view), rig.vault, signer(rig).verifier)


def of_one_customer(rig: Rig) -> list[int]:
    with rig.store.read() as view:
        size, _ = view.head()
        return [entry.index for entry in view.entries(0, size) if len(entry.refs) == 1]


def without(index: int) -> Callable[[StoredEntry], StoredEntry | None]:
    """Remove an entry and close the gap."""

    def change(entry: StoredEntry) -> StoredEntry | None:
        if entry.index == index:
            return None
        return entry if entry.index < index else replace(entry, index=entry.index - 1)

    return change


async def test_a_whole_log_is_opened_and_holds(morning: Rig) -> None:
    verdict = verify(morning)
    with morning.store.read() as view:
        size, hashes = view.head()
    assert verdict == Verdict(
        size=size,
        root=CompactRange(size, hashes).root().hex(),
        opened=size,
        erased=0,
        checkpoint_size=None,
    )


async def test_a_signed_checkpoint_is_held_against_the_entries(morning: Rig) -> None:
    await morning.publisher.publish_once(morning.readers, morning.committer, morning.clock.now())
    signed = verify(morning).size
    await morning.customers(2)
    await morning.case((await morning.customers(2))[1])
    verdict = verify(morning)
    assert verdict.checkpoint_size == signed
    assert verdict.size > signed


async def test_a_missing_entry_is_named(morning: Rig) -> None:
    with pytest.raises(ProofError, match="entry 2 is missing") as caught:
        verify(morning, lambda view: tampered(view, lambda e: None if e.index == 2 else e))
    assert caught.value.index == 2


async def test_a_changed_part_is_named(morning: Rig) -> None:
    index = of_one_customer(morning)[0]

    def change(entry: StoredEntry) -> StoredEntry:
        swapped = replace(entry, sealed_subjects=(bytes(80),))
        return swapped if entry.index == index else entry

    with pytest.raises(ProofError) as caught:
        verify(morning, lambda view: tampered(view, change))
    assert caught.value.index == index


async def test_an_entry_cut_out_of_one_customers_numbers_is_noticed(morning: Rig) -> None:
    # Even whoever rebuilds the tree cannot renumber what only the customer's key can number.
    cut = of_one_customer(morning)[1]
    with pytest.raises(ProofError, match="not the next of its customer") as caught:
        verify(morning, lambda view: tampered(view, without(cut)))
    assert caught.value.index == of_one_customer(morning)[2] - 1


async def test_a_log_cut_at_its_end_does_not_make_the_stored_tree(morning: Rig) -> None:
    last = verify(morning).size - 1
    with pytest.raises(ForkError, match="the store keeps a tree of"):
        verify(morning, lambda view: tampered(view, without(last)))


async def test_a_log_and_tree_cut_at_their_end_are_behind_the_checkpoint(morning: Rig) -> None:
    await morning.publisher.publish_once(morning.readers, morning.committer, morning.clock.now())

    def cut(view: ReadView) -> ReadView:
        size, _ = view.head()
        tree = CompactRange()
        for leaf in view.leaf_hashes(0, size - 1):
            tree.append(leaf)
        return tampered(view, without(size - 1), head=(tree.size, tree.hashes))

    with pytest.raises(ForkError, match=r"a checkpoint of \d+ entries is signed"):
        verify(morning, cut)


async def test_a_signed_root_that_the_entries_do_not_have_is_a_fork(morning: Rig) -> None:
    forged = sign_checkpoint(Checkpoint("t", 3, bytes(HASH_SIZE)), signer(morning))
    with pytest.raises(ForkError, match="do not hash to the signed root"):
        verify(morning, lambda view: tampered(view, note=forged))


async def test_a_checkpoint_that_another_key_signed_is_refused(morning: Rig) -> None:
    other = NoteSigner("t", morning.keyring.signing_key("somebody else"))
    note = sign_checkpoint(Checkpoint("t", 3, bytes(HASH_SIZE)), other)
    with pytest.raises(ProofError):
        verify(morning, lambda view: tampered(view, note=note))


async def test_an_entry_erased_with_its_agent_counts_as_erased(morning: Rig) -> None:
    def change(entry: StoredEntry) -> StoredEntry:
        event = (entry.sealed_event or b"")[:HASH_SIZE]
        return replace(entry, sealed_event=event) if entry.index == 1 else entry

    verdict = verify(morning, lambda view: tampered(view, change))
    assert (verdict.opened, verdict.erased) == (verdict.size - 1, 1)


async def test_a_customer_whose_key_is_gone_counts_as_erased_and_the_rest_holds(
    morning: Rig,
) -> None:
    verdict = verify(
        morning,
        lambda view: tampered(view, subject=lambda row: replace(row, wrapped_key=None)),
    )
    assert verdict.opened == verdict.size
    assert verdict.erased >= len(of_one_customer(morning))


async def test_an_older_copy_of_the_store_does_not_continue_what_was_kept_outside(
    morning: Rig,
) -> None:
    with morning.store.read() as view:
        size, hashes = view.head()
        kept = Checkpoint("t", size, CompactRange(size, hashes).root())
        note = sign_checkpoint(kept, signer(morning))
        newer = sign_checkpoint(
            replace(kept, size=size + 7, root=bytes(HASH_SIZE)), signer(morning)
        )
        other = sign_checkpoint(replace(kept, root=bytes(HASH_SIZE)), signer(morning))
        key = signer(morning).verifier
        with pytest.raises(ForkError, match="the store has none"):
            verify_store(view, morning.vault, key, [note])
        for wrong in (newer, other):
            with pytest.raises(ForkError):
                verify_store(view, morning.vault, key, [wrong])
    await morning.committer.run(
        lambda tx: tx.rows.put_checkpoint(size, kept.root, note, morning.clock.now())
    )
    with morning.store.read() as view:
        assert verify_store(view, morning.vault, key, [note]).checkpoint_size == size
