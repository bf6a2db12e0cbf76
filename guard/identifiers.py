"""Finding a customer by exactly what they say of themselves, without a list to look through.

The index holds blind values only; a question is blinded in the same way and looked up whole. A hit
and a miss take the same one read of at most two rows: two customers may claim one address (a shared
mailbox, a family's phone), and then the answer is that it names more than one, not who.

Whether somebody may ask, what it costs, and the entry that a question leaves, hit or miss, are the
broker's business.
"""

from collections import Counter
from collections.abc import Iterable

from guard.ports import Readers
from guard.rows import IdentifierRow
from guard.vault.identifiers import IdentifierKind, NormalForms, blind_identifier
from guard.vault.keyring import Keyring

KINDS = frozenset(kind.value for kind in IdentifierKind)

# More tell nothing new: two already say that the identifier is not enough.
MOST_FOUND = 2


class Identifiers:
    """Implements `ports.IdentifierLookup` over the store's index."""

    def __init__(self, readers: Readers, keyring: Keyring, forms: NormalForms) -> None:
        """Look up through `readers`, under keys of `keyring`."""
        self._readers, self._keyring, self._forms = readers, keyring, forms

    async def find(self, tenant: str, kind: str, value: str) -> tuple[str, ...]:
        """See `ports.IdentifierLookup.find`."""
        blind = blinded(self._keyring, self._forms, tenant, kind, value)
        found = await self._readers.read(
            lambda view: view.identified(tenant, kind, blind, MOST_FOUND)
        )
        return tuple(found)


def blinded(keyring: Keyring, forms: NormalForms, tenant: str, kind: str, value: str) -> bytes:
    """The blind index of one identifier.

    Raises:
        InvalidRequestError: There is no such kind, or the value cannot be one of it.
    """
    normal = forms.of(kind, value)
    return blind_identifier(keyring.derived(tenant, f"identifier/{kind}"), normal)


def index_rows(
    keyring: Keyring,
    forms: NormalForms,
    tenant: str,
    ref: str,
    given: Iterable[tuple[str, str]],
) -> tuple[IdentifierRow, ...]:
    """What the index holds of one customer's `given` (kind, value) pairs, each once.

    Raises:
        InvalidRequestError: A kind does not exist, or a value cannot be one of it.
    """
    found = {(kind, blinded(keyring, forms, tenant, kind, value)) for kind, value in given}
    return tuple(
        IdentifierRow(tenant=tenant, kind=kind, blind=blind, ref=ref)
        for kind, blind in sorted(found)
    )


def counts_by_kind(rows: Iterable[IdentifierRow]) -> dict[str, int]:
    """How many identifiers of each kind: all that an entry says of them."""
    return dict(sorted(Counter(row.kind for row in rows).items()))
