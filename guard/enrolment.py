"""Customers become known: a source key goes in, a random opaque reference comes out.

The same key always gets the same reference; the key itself is kept sealed under the customer's own
key and found again through a blind index, so neither the database nor the API shows it. What other
people know a customer by (e-mail, phone, account) goes into a blind index of its own.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from guard.clock import Clock
from guard.entries import BodyValue, EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, InvalidRequestError
from guard.identifiers import KINDS, counts_by_kind, index_rows
from guard.ports import Committer, Transaction
from guard.principals import Principal
from guard.rows import SubjectRow
from guard.vault.identifiers import NormalForms
from guard.vault.keyring import Keyring
from policies.model import Tier

# A source key is an id of a row: anything longer is a mistake or an attack.
MAX_KEY = 200
# A customer with more of them than this is not one customer.
MAX_IDENTIFIERS = 16
# Phone numbers with their country code only.
INTERNATIONAL = NormalForms()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPut:
    """A customer of a source, as an integration knows it.

    `is_decoy` marks a record that no honest work leads to: looking at it is hard evidence.
    `identifiers` are (kind, value) pairs by which the customer can be found; they replace all that
    were given before (None: those stay).
    """

    source: str
    source_key: str
    region: str
    tier: Tier = Tier.STANDARD
    is_decoy: bool = False
    identifiers: tuple[tuple[str, str], ...] | None = None


class Enrolment:
    """Mints and finds references."""

    def __init__(
        self,
        committer: Committer,
        keyring: Keyring,
        clock: Clock,
        forms: NormalForms = INTERNATIONAL,
    ) -> None:
        """Write through `committer`, with keys of `keyring`; `forms` spells identifiers."""
        self._committer, self._keyring, self._clock = committer, keyring, clock
        self._forms = forms

    async def enrol(
        self, principal: Principal, customers: Sequence[CustomerPut]
    ) -> dict[tuple[str, str], str]:
        """References by (source, source key), minted where they are missing.

        A known customer takes the region, tier, decoy mark and identifiers that are given now; a
        case that mentions it changes none of them.

        Raises:
            AccessDeniedError: The credential lacks `customers:write`.
            InvalidRequestError: A source or key is empty or too long, or an identifier is none.
        """
        if "customers:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not enrol customers: `customers:write`")
        for customer in customers:
            check_key(customer)

        def work(tx: Transaction) -> dict[tuple[str, str], str]:
            return {(c.source, c.source_key): self._enrol(tx, principal, c).ref for c in customers}

        return await self._committer.run(work)

    def _enrol(self, tx: Transaction, by: Principal, customer: CustomerPut) -> SubjectRow:
        """Mint or find; who enrols a known customer anew says how it is protected from now on."""
        row = self.subject(tx, by.tenant, customer)
        protected = dataclasses.replace(
            row, region=customer.region, tier=customer.tier, is_decoy=customer.is_decoy
        )
        indexed = self._index(tx, row, customer)
        if protected != row:
            tx.rows.protect_subject(protected)
        if protected != row or indexed:
            kind = EntryKind.CUSTOMER
            body: dict[str, BodyValue] = {"region": protected.region, "tier": protected.tier.value}
            event = msgspec.structs.replace(
                event_by(by, kind, self._clock.now()), body=body | indexed
            )
            subject = SubjectPart(customer=row.ref)
            tx.record(NewEntry(kind=kind, event=event, subjects=(subject,)))
        return protected

    def _index(
        self, tx: Transaction, subject: SubjectRow, customer: CustomerPut
    ) -> dict[str, BodyValue]:
        """Put the identifiers that were given; what the entry says of it ({}: nothing changed)."""
        if customer.identifiers is None:
            return {}
        tenant, ref = subject.tenant, subject.ref
        rows = index_rows(self._keyring, self._forms, tenant, ref, customer.identifiers)
        if set(rows) == set(tx.rows.identifiers_of(tenant, ref)):
            return {}
        tx.rows.put_identifiers(tenant, ref, KINDS, rows)
        return {"identifiers": counts_by_kind(rows)}

    def subject(self, tx: Transaction, tenant: str, customer: CustomerPut) -> SubjectRow:
        """Find the customer's row inside a transaction, or mint it."""
        blind = self._keyring.blind(tenant, customer.source, customer.source_key)
        known = tx.rows.subject_by_blind(tenant, customer.source, blind)
        if known is not None:
            return known
        row = self._keyring.new_subject(
            tenant=tenant,
            region=customer.region,
            source=customer.source,
            source_key=customer.source_key,
            tier=customer.tier,
            is_decoy=customer.is_decoy,
        )
        tx.rows.add_subjects([row])
        return row


def check_key(customer: CustomerPut) -> None:
    """Raise InvalidRequestError unless source and key can name a customer."""
    for what, text in (("source", customer.source), ("source key", customer.source_key)):
        if not text or len(text) > MAX_KEY or not text.isprintable():
            raise InvalidRequestError(f"the {what} must be 1 to {MAX_KEY} printable characters")
    if len(customer.identifiers or ()) > MAX_IDENTIFIERS:
        raise InvalidRequestError(f"a customer has at most {MAX_IDENTIFIERS} identifiers")
