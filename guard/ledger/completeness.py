"""Whether a list of a customer's entries is all of them.

Every entry about one customer bears a tag that only the customer's key makes, counted from 0
without a gap (`docs/formats/entry.md`). So whoever holds the key of the tags makes tags 0 to n-1,
and those from n on, and looks through the leaves of the log, which hold no personal data and which
anybody may fetch: each of the first must be there once, and none of the others anywhere. An entry
that was taken out of the answer, put under another customer, or never shown, is a number that has
no place among the answers.

It says nothing of entries about many customers (an export, a search with several results): those
have tags of chance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hmac import digest

from guard.errors import ProofError
from guard.ledger.entry import TAG_SIZE, decode_leaf

TAG_KEY_SIZE = 32

# Numbers after the last one that must not be there: more than one, as the very next may have been
# deleted before it had a place.
BEYOND = 256


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one customer's entries, by number, and the next ones, which must not be there."""

    present: tuple[bytes, ...]
    absent: tuple[bytes, ...]


def tags_of(key: bytes, count: int) -> Tags:
    """The tags that a customer's tag key makes, of whom `count` entries are told.

    Raises:
        ProofError: The key has a wrong length.
    """
    if len(key) != TAG_KEY_SIZE:
        raise ProofError("key of the customer's tags is cut, ask for it anew")
    made = [digest(key, n.to_bytes(8, "big"), "sha256")[:TAG_SIZE] for n in range(count + BEYOND)]
    return Tags(tuple(made[:count]), tuple(made[count:]))


class Completeness:
    """Finds the tags of one customer among leaves that stream by."""

    def __init__(self, tags: Tags) -> None:
        """Look for `tags`.

        Raises:
            ProofError: A tag is there twice or has a wrong length.
        """
        self._numbers = {tag: n for n, tag in enumerate(tags.present)}
        self._absent = {tag: n for n, tag in enumerate(tags.absent, len(tags.present))}
        every = {*tags.present, *tags.absent}
        told = len(tags.present) + len(tags.absent)
        if len(every) != told or any(len(one) != TAG_SIZE for one in every):
            raise ProofError("tags are repeated or cut, ask for them anew")
        self._places: dict[int, int] = {}

    def see(self, index: int, leaf: bytes) -> int | None:
        """Look at the next leaf; the number of the customer's entry, if it is one.

        Raises:
            ProofError: The tag was seen before, or is one that must be absent.
        """
        tag = decode_leaf(leaf).tag
        n = self._numbers.get(tag)
        if tag in self._absent:
            raise ProofError(
                f"entry {index}: number {self._absent[tag]} of the customer is in the log and not"
                " among the answers, an entry was hidden",
                index=index,
            )
        if n is not None and n in self._places:
            raise ProofError(
                f"entry {index}: number {n} of the customer is there twice, first at"
                f" {self._places[n]}",
                index=index,
            )
        if n is not None:
            self._places[n] = index
        return n

    def places(self) -> tuple[int, ...]:
        """Where the customer's entries are, by number.

        Raises:
            ProofError: A number is nowhere; the message says between which entries it was written.
        """
        for n in range(len(self._numbers)):
            if n not in self._places:
                before, after = self._places.get(n - 1), self._places.get(n + 1)
                raise ProofError(
                    f"number {n} of the customer is not in the log, it was written"
                    f" {_between(before, after)}: an entry was removed",
                    index=before,
                )
        return tuple(self._places[n] for n in range(len(self._numbers)))


def _between(before: int | None, after: int | None) -> str:
    words = [] if before is None else [f"after entry {before}"]
    words += [] if after is None else [f"before entry {after}"]
    return " and ".join(words) or "at a place that nothing tells"


def check(leaves: Iterable[bytes], tags: Tags) -> tuple[int, ...]:
    """Check that the log holds the present tags once, the absent nowhere; returns their places.

    Raises:
        ProofError: The list is not complete; `index` is the entry that shows it.
    """
    looking = Completeness(tags)
    for index, leaf in enumerate(leaves):
        looking.see(index, leaf)
    return looking.places()


def check_answers(places: Sequence[int], answered: Iterable[int]) -> None:
    """Check that what a store lists about the customer alone is what the log holds at `places`.

    Raises:
        ProofError: The store hides one of the entries, or adds one; `index` names it.
    """
    log, store = set(places), set(answered)
    for index in sorted(log - store):
        raise ProofError(
            f"entry {index} is the customer's and the store does not list it, its row was deleted"
            " or put under another customer",
            index=index,
        )
    for index in sorted(store - log):
        raise ProofError(
            f"entry {index} is listed under the customer and is not its own, its row was changed",
            index=index,
        )
