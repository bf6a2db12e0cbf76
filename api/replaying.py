"""Reading the whole log from the store, page by page, in constant memory."""

from collections.abc import Iterator

from guard.entries import OpenedEntry, StoredEntry
from guard.ledger.entry import open_entry
from guard.ledger.merkle import HASH_SIZE
from guard.ports import DetailVault, ReadView

# Entries per read: some megabytes at most.
PAGE = 1_000


def stored_pages(view: ReadView, start: int = 0) -> Iterator[list[StoredEntry]]:
    """The log from `start`, in pages, as it is stored."""
    while page := view.entries(start, PAGE):
        yield page
        start = page[-1].index + 1


def opened_entries(view: ReadView, vault: DetailVault) -> Iterator[OpenedEntry]:
    """Every entry that can still be opened, in order; one erased with its agent is left out.

    Raises:
        ProofError: An entry does not hold.
        KeyUnavailableError: A key that should be there is not.
    """
    for page in stored_pages(view):
        subjects = view.subjects({ref for entry in page for ref in entry.refs})
        for entry in page:
            if not is_erased(entry):
                yield open_entry(entry, vault, subjects)


def is_erased(entry: StoredEntry) -> bool:
    """Whether only the hash of the event part is left."""
    return entry.sealed_event is not None and len(entry.sealed_event) == HASH_SIZE
