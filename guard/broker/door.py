"""The broker itself: one method for each act, all of them over the one path."""

from collections.abc import Mapping

from guard.admission import GroupCommitter
from guard.broker.charging import bindings_of
from guard.broker.contact import contact
from guard.broker.gathering import query
from guard.broker.listing import listing
from guard.broker.parts import Parts
from guard.broker.path import OnePath
from guard.broker.reveal import reveal
from guard.broker.search import search
from guard.broker.verify import verify
from guard.broker.view import view
from guard.clock import Clock
from guard.in_force import Policies
from guard.ports import ContactChannel, IdentifierLookup, Readers, RecordSource
from guard.principals import Principal
from guard.quotas import BudgetStatus, statuses
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from guard.views import (
    Contacted,
    ContactRequest,
    Failed,
    Found,
    ListRequest,
    Refused,
    Revealed,
    RevealRequest,
    SearchRequest,
    Served,
    Verified,
    VerifyRequest,
    ViewRequest,
)
from policies.model import Act, Purpose

_NOBODY = ViewRequest(customer="", purpose="")


class Broker:
    """Serves every act. One per process; safe for any number of concurrent callers on one loop.

    Whatever is asked, its entry (of the act, its refusal or its failure) is durable before the
    answer. All acts may raise:

    * StoreUnavailableError: no entry could be made durable in time; nothing is shown;
    * SourceError, NotFoundError: the record could not be fetched or is gone; an entry says so;
    * KeyUnavailableError: the customer's key is gone or cannot be reached.
    """

    def __init__(  # noqa: PLR0913 - the parts of the one path, each by name
        self,
        *,
        readers: Readers,
        committer: GroupCommitter,
        policies: Policies,
        sources: Mapping[str, RecordSource],
        keyring: Keyring,
        clock: Clock,
        source_deadline_s: float,
        lookup: IdentifierLookup | None = None,
        channels: Mapping[str, ContactChannel] | None = None,
    ) -> None:
        """Put the one path together; `sources` and `channels` by name (see `Parts`)."""
        parts = Parts(
            readers=readers,
            committer=committer,
            policies=policies,
            sources=sources,
            keyring=keyring,
            clock=clock,
            source_deadline_s=source_deadline_s,
            lookup=lookup,
            channels={} if channels is None else channels,
        )
        self._path, self._parts, self._vault = OnePath(parts), parts, EntryVault(keyring)

    async def view(self, principal: Principal, request: ViewRequest) -> Served | Refused:
        """Show one customer to one principal, or refuse."""
        return await view(self._path, principal, request)

    async def reveal(self, principal: Principal, request: RevealRequest) -> Revealed | Refused:
        """Open single fields of a view that the same principal made in the last minutes.

        Raises:
            InvalidRequestError: Too many fields or no reason.
        """
        return await reveal(self._path, self._vault, principal, request)

    async def listing(
        self, principal: Principal, request: ListRequest
    ) -> tuple[Served | Refused | Failed, ...]:
        """Show a queue of customers, masked; an outcome for each, in order.

        Raises:
            InvalidRequestError: None or too many customers.
        """
        return await listing(self._path, principal, request)

    async def search(self, principal: Principal, request: SearchRequest) -> Found | Refused:
        """Find at most one customer by an exact identifier.

        Raises:
            InvalidRequestError: There is no such kind, or the value cannot be one of it.
        """
        return await search(self._path, principal, request)

    async def verify(self, principal: Principal, request: VerifyRequest) -> Verified | Refused:
        """Say whether a claim about one field is true."""
        return await verify(self._path, principal, request)

    async def contact(self, principal: Principal, request: ContactRequest) -> Contacted | Refused:
        """Call or write to a customer.

        Raises:
            InvalidRequestError: Subject, text or recipients are not what a channel takes.
        """
        return await contact(self._path, principal, request)

    async def quota(self, principal: Principal) -> tuple[BudgetStatus, ...]:
        """What is used and left of the principal's own budgets, for every purpose and act."""
        now = self._parts.clock.now()
        situation = await self._parts.readers.situation(query(principal, _NOBODY, now))
        in_force = self._parts.policies.of(principal.tenant)
        bindings = {
            binding.budget.name: binding
            for act in Act
            for purpose in Purpose
            for binding in bindings_of(principal, purpose, situation.risk, in_force, act)
        }
        mine = tuple(bindings.values())
        keys = {binding.key for binding in mine}
        return await self._parts.readers.read(
            lambda look: statuses(look.budget_state(keys, (), now), mine, now)
        )
