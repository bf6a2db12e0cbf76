"""Holds what the clients counted against what the ledger says, and checks the ledger itself."""

from collections import Counter
from dataclasses import dataclass

from api.audit import Verdict, verify_store
from api.cli.demo.tally import Tally
from api.places import database_url, log_signer, open_keyring
from api.replaying import stored_pages
from api.settings import Settings
from guard.entries import EntryKind
from guard.ledger.entry import decode_leaf, open_entry
from guard.ports import DetailVault, ReadView
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The ledger's side of the day."""

    verified: Verdict
    views: int
    refunds: int
    refusals: int
    alerted: frozenset[str]

    def agrees_with(self, tally: Tally) -> bool:
        """Whether each record that a desk was shown, and each refusal, has its entry, and no more.

        A view that landed after its desk had been told 503 has a refund and counts on neither side.
        """
        refused = sum(tally.refused.values())
        return (self.views - self.refunds, self.refusals) == (tally.served, refused)

    def false_alerts(self, insider: str) -> int:
        """Agents of alerts that nothing was the matter with."""
        return len(self.alerted - {insider})


def close(settings: Settings) -> Accounts:
    """Verify the ledger and count what is in it.

    Raises:
        ProofError: An entry does not hold.
        ForkError: The tree or the signed checkpoint says another thing.
    """
    keyring = open_keyring(settings)
    vault = EntryVault(keyring)
    with SqlReader(database_url(settings)) as store, store.read() as view:
        verified = verify_store(view, vault, log_signer(keyring, settings).verifier)
        kinds, alerted = _count(view, vault)
    return Accounts(
        verified=verified,
        views=kinds[EntryKind.VIEW],
        refunds=kinds[EntryKind.REFUND],
        refusals=kinds[EntryKind.REFUSAL],
        alerted=frozenset(alerted),
    )


def _count(view: ReadView, vault: DetailVault) -> tuple[Counter[EntryKind], set[str]]:
    kinds: Counter[EntryKind] = Counter()
    alerted: set[str] = set()
    for page in stored_pages(view):
        for entry in page:
            kind = decode_leaf(entry.leaf).kind
            kinds[kind] += 1
            if kind is EntryKind.ALERT:
                agents = open_entry(entry, vault, {}).event.body.get("agents")
                alerted |= {str(a) for a in agents} if isinstance(agents, list) else set()
    return kinds, alerted
