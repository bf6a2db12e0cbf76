"""Break-glass as the service offers it: opened, ended, listed, read and reviewed."""

from guard.alerts import Alerts
from guard.break_glass import asking, reading, reviewing
from guard.break_glass.terms import Glass, GlassPut, GlassState, Parts, ReviewOutcome
from guard.clock import Clock
from guard.ports import Committer, DetailVault, Readers
from guard.principals import Principal
from guard.rows import GrantRow
from guard.vault.pseudonyms import Pseudonyms


class BreakGlass:
    """Opens, ends, lists and reviews break-glass grants."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        alerts: Alerts,
        pseudonyms: Pseudonyms,
        vault: DetailVault,
    ) -> None:
        """Write through `committer`, raise through `alerts`, open what was typed with `vault`."""
        self._parts = Parts(
            committer=committer,
            readers=readers,
            clock=clock,
            alerts=alerts,
            pseudonyms=pseudonyms,
            vault=vault,
        )

    async def open(self, principal: Principal, put: GlassPut) -> GrantRow:
        """Open one customer for some minutes; the alert is raised when this returns.

        Raises:
            InvalidRequestError: The text is too short or too long, or the minutes are not 1 to 60.
            AccessDeniedError: The role may not, the limit is reached, or a review is overdue.
            NotFoundError: There is no such customer.
            ConflictError: The glass is broken for this customer already.
        """
        return await asking.open_glass(self._parts, principal, put)

    async def end(self, principal: Principal, grant_id: str) -> GrantRow:
        """End one's own grant before its time.

        Raises:
            NotFoundError: The caller has no such grant.
            ConflictError: It has ended.
        """
        return await asking.end_glass(self._parts, principal, grant_id)

    async def review(
        self, principal: Principal, grant_id: str, outcome: ReviewOutcome, note: str
    ) -> Glass:
        """Say whether a grant that has ended was justified; its alert ends with it.

        Raises:
            AccessDeniedError: The role may not, or the reviewer stands in the agent's line.
            NotFoundError: There is no such grant that the caller may know of.
            ConflictError: It is still open, or reviewed already.
            InvalidRequestError: There is no note.
        """
        return await reviewing.review(self._parts, principal, grant_id, outcome, note)

    async def page(self, principal: Principal, state: GlassState) -> list[Glass]:
        """Grants that are open, newest first, or that wait for a review, the oldest first.

        Those that the caller may not know of are left out.

        Raises:
            AccessDeniedError: The role may not read them.
        """
        return await reading.page(self._parts, principal, state)

    async def get(self, principal: Principal, grant_id: str) -> Glass:
        """One grant with what was typed, for who is about to review it; reading it is an entry.

        Raises:
            AccessDeniedError: The role may not read them.
            NotFoundError: There is no such grant that the caller may know of.
        """
        return await reading.get(self._parts, principal, grant_id)
