"""Who may know of a broken glass, and who may read what was typed.

Analysts, auditors and administrators watch over the whole tenant; leads and managers over their own
vendor and whoever reports to them: another vendor's agents and customers are not theirs to read
about. Reading what was typed is an entry before it is an answer, also where it is refused.
"""

import dataclasses

import msgspec

from guard.after_reviews import is_glass_overdue
from guard.break_glass.terms import KIND, Glass, GlassState, Parts, found, no_such, require
from guard.clock import Micros
from guard.entries import EntryKind, NewEntry, Outcome, SubjectPart, event_by
from guard.ledger.entry import open_entry
from guard.ports import DetailVault, ReadView, Transaction
from guard.principals import Principal
from guard.rows import GrantRow, LogQuery
from policies.model import Role

MAX_PAGE = 200
# Where the opening of a grant is looked for in the log of its customer.
LOOKED_AT = 500
_SECURITY = frozenset({Role.ANALYST, Role.AUDITOR, Role.ADMIN})
_MAY_READ = _SECURITY | {Role.LEAD, Role.MANAGER}


def may_know(view: ReadView, principal: Principal, row: GrantRow) -> bool:
    """Whether somebody whose role reads grants may know of this one."""
    if principal.role in _SECURITY:
        return True
    agent = view.principal(row.tenant, row.agent_id)
    return agent is not None and (agent.vendor == principal.vendor or principal.id in agent.line)


def shown(parts: Parts, principal: Principal, row: GrantRow, at: Micros) -> Glass:
    """A grant for that reader."""
    # Whoever could read the name here would know whom a pseudonym in an alert stands for.
    own = row.agent_id == principal.id
    name = row.agent_id if own else parts.pseudonyms.pseudonym(row.tenant, row.agent_id)
    return Glass(row=row, agent=name, is_overdue=is_glass_overdue(row, at))


async def page(parts: Parts, principal: Principal, state: GlassState) -> list[Glass]:
    """See `BreakGlass.page`."""
    require(principal, _MAY_READ, "read break-glass grants")
    at = parts.clock.now()

    def look(view: ReadView) -> list[GrantRow]:
        read = view.open_grants if state is GlassState.OPEN else view.unreviewed_grants
        rows = read(principal.tenant, KIND, at, MAX_PAGE)
        return [row for row in rows if may_know(view, principal, row)]

    rows = await parts.readers.read(look)
    return [shown(parts, principal, row, at) for row in rows]


async def get(parts: Parts, principal: Principal, grant_id: str) -> Glass:
    """See `BreakGlass.get`."""
    require(principal, _MAY_READ, "read break-glass grants")

    def note(tx: Transaction) -> GrantRow | None:
        row = found(tx.rows, principal, grant_id)
        is_known = may_know(tx.rows, principal, row)
        _note(tx, principal, row, parts.clock.now(), is_known=is_known)
        return row if is_known else None

    row = await parts.committer.run(note)
    if row is None:
        raise no_such()
    text = await parts.readers.read(lambda view: _typed(view, parts.vault, row))
    return dataclasses.replace(shown(parts, principal, row, parts.clock.now()), text=text)


def _note(tx: Transaction, by: Principal, row: GrantRow, at: Micros, *, is_known: bool) -> None:
    """Record that somebody reads, or wanted to read, what was typed."""
    kind = EntryKind.AUDIT_QUERY
    event = msgspec.structs.replace(
        event_by(by, kind, at), body={"about": row.agent_id, "limit": 1, "grant": row.id}
    )
    if not is_known:
        event = msgspec.structs.replace(
            event,
            outcome=Outcome.REFUSED.value,
            reasons=("another vendor's break-glass: its own leads and the analysts read it",),
        )
    tx.record(NewEntry(kind=kind, event=event, subjects=(SubjectPart(customer=row.ref),)))


def _typed(view: ReadView, vault: DetailVault, row: GrantRow) -> str | None:
    """What the agent typed, from the entry that opened the grant."""
    query = LogQuery(
        tenant=row.tenant,
        ref=row.ref,
        kinds=(EntryKind.GRANT,),
        since=row.starts_at,
        until=row.starts_at + 1,
        limit=LOOKED_AT,
    )
    subjects = view.subjects({row.ref})
    for stored in view.search(query):
        entry = open_entry(stored, vault, subjects)
        if entry.event.body.get("grant") == row.id and entry.subjects[0] is not None:
            return entry.subjects[0].reason
    return None
