"""The directory and the policy as they were at an instant, rebuilt from the log.

The directory's rows are what people are now. What they were is in the entries that every change
left; what was never logged is said, and not made up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from guard.clock import Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, OpenedEntry
from guard.errors import NotFoundError
from guard.ledger.entry import open_entry
from guard.ports import DetailVault, ReadView
from guard.rows import LogQuery
from policies.bundle import Bundle, load_bundle
from policies.errors import PolicyError
from policies.model import ActorKind, Desk, Role

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the directory, as far as a policy tells people apart."""

    id: str
    team: str
    role: Role
    desk: Desk
    kind: ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who was there. `logged_since`: the first entry of the directory (None: there is none).

    `without_desk` counts people whose entries are older than desks, `unlogged` people of today's
    directory about whom no entry was ever written, `unreadable` those with a role that this release
    does not know.
    """

    people: tuple[Person, ...]
    logged_since: Micros | None
    without_desk: int
    unlogged: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyThen:
    """The bundle that decided, and how that is known."""

    bundle: Bundle
    known_from: str


def roster_on(view: ReadView, vault: DetailVault, tenant: str, at: Micros) -> Roster:
    """Everybody who was active at `at`."""
    bodies: dict[str, Mapping[str, BodyValue]] = {}
    logged: set[str] = set()
    first: Micros | None = None
    for entry in _entries(view, vault, LogQuery(tenant=tenant, kinds=(EntryKind.PRINCIPAL,))):
        first = entry.event.at
        who = str(entry.event.body.get("agent", ""))
        logged.add(who)
        if entry.event.at <= at:
            # Newest first: what was said last before `at` holds.
            bodies.setdefault(who, entry.event.body)
    active = {who: body for who, body in bodies.items() if body.get("active") is not False}
    people = [person for who, body in active.items() if (person := _person(who, body)) is not None]
    return Roster(
        people=tuple(sorted(people, key=lambda person: person.id)),
        logged_since=first,
        without_desk=sum("desk" not in body for body in active.values()),
        unlogged=sum(row.id not in logged for row in view.principals(tenant)),
        unreadable=len(active) - len(people),
    )


def policy_on(view: ReadView, vault: DetailVault, tenant: str, at: Micros) -> PolicyThen:
    """The bundle in force at `at`: by its activation, or else by the newest entry that names one.

    Raises:
        NotFoundError: Nothing says which it was, or it cannot be read any more.
    """
    for row in view.activations(tenant):
        begun = row.activated_at is not None and row.activated_at <= at
        if begun and (row.retired_at is None or at < row.retired_at):
            return PolicyThen(bundle=_bundle(view, row.digest), known_from=f"activation {row.id}")
    found = [
        *_named(view, vault, tenant, (EntryKind.VIEW, EntryKind.REFUSAL), at),
        *_named(view, vault, SYSTEM, (EntryKind.BUNDLE,), at),
    ]
    if not found:
        raise NotFoundError("nothing says which policy was in force then: choose a later day")
    _, digest, index = max(found)
    return PolicyThen(bundle=_bundle(view, digest), known_from=f"entry {index}")


def _named(
    view: ReadView, vault: DetailVault, tenant: str, kinds: tuple[EntryKind, ...], at: Micros
) -> list[tuple[Micros, str, int]]:
    """When, which bundle and where: the newest entry that names a bundle, if there is one."""
    for stored in view.search(LogQuery(tenant=tenant, kinds=kinds, until=at + 1, limit=1)):
        entry = open_entry(stored, vault, {})
        digest = entry.event.bundle or str(entry.event.body.get("digest", ""))
        return [(entry.event.at, digest, entry.index)]
    return []


def _bundle(view: ReadView, digest: str) -> Bundle:
    lost = NotFoundError(f"the policy of that day ({digest[:12]}) cannot be read by this release")
    files = view.bundle(digest)
    if files is None:
        raise lost
    try:
        return load_bundle(files)
    except PolicyError:
        raise lost from None


def _entries(view: ReadView, vault: DetailVault, query: LogQuery) -> Iterator[OpenedEntry]:
    """All entries that a query finds, newest first."""
    query = replace(query, limit=PAGE)
    while page := view.search(query):
        for stored in page:
            yield open_entry(stored, vault, {})
        query = replace(query, before=page[-1].index)


def _person(who: str, body: Mapping[str, BodyValue]) -> Person | None:
    try:
        return Person(
            id=who,
            team=str(body.get("team", "")),
            role=Role(str(body.get("role", ""))),
            desk=Desk(str(body.get("desk", Desk.FRONT_LINE.value))),
            kind=ActorKind(str(body.get("kind", ""))),
        )
    except ValueError:
        return None
