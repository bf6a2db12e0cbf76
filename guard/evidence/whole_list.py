"""Whether what the store lists about a customer is all that the log holds of her.

The tags come from the customer's key, the leaves from the published files (and from the store, for
the newest that are not published yet). It tells places and nothing of what is in the entries.
"""

from collections.abc import Iterator

from guard.errors import ForkError, NotFoundError
from guard.ledger.completeness import Tags, check, check_answers, tags_of
from guard.ledger.tiles import TILE_WIDTH, TileFolder
from guard.ports import DetailVault, LogTables

# Leaves read from the store at a time.
PAGE = 1_000


def published_leaves(folder: TileFolder, size: int) -> Iterator[bytes]:
    """The leaves of a published log.

    Raises:
        ProofError: A file is missing or cut short.
    """
    for index in range(-(-size // TILE_WIDTH)):
        yield from folder.leaves(index, min(TILE_WIDTH, size - index * TILE_WIDTH))


def check_customer(
    view: LogTables, vault: DetailVault, tenant: str, ref: str, published: tuple[TileFolder, int]
) -> tuple[int, ...]:
    """Places of all entries about this customer alone, after checking that none is hidden.

    Raises:
        NotFoundError: The customer is unknown.
        KeyUnavailableError: The customer was erased: nothing makes the tags any more.
        ProofError: An entry was hidden, removed or put under somebody else; `index` names it.
        ForkError: The store has fewer entries than were published.
    """
    subject = view.subject(tenant, ref)
    if subject is None:
        raise NotFoundError("unknown customer reference")
    waiting = {row.body.leaf for row in view.pending_rows() if row.body is not None}
    tags = tags_of(vault.tag_key(subject), subject.next_n)
    placed = tuple(tag for tag in tags.present if not any(tag in leaf for leaf in waiting))
    places = check(_leaves(view, *published), Tags(placed, tags.absent))
    answered = [index for index, _ in view.leaves_alone([ref])[ref]]
    check_answers(places, answered)
    return places


def _leaves(view: LogTables, folder: TileFolder, size: int) -> Iterator[bytes]:
    """What was published, then what the store alone has."""
    held, _ = view.head()
    if held < size:
        raise ForkError(f"{size} entries were published and {held} are left, restore the store")
    yield from published_leaves(folder, size)
    start = size
    while rows := view.entry_rows(start, PAGE):
        yield from (row.leaf for row in rows)
        start = rows[-1].index + 1
