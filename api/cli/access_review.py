"""`guard access-review`: who could see a field on a day, under which policy."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from api.cli.outcome import Json, say
from api.cli.policy_life import Tenant, instant, reading
from guard.access_review import Group, Roster, access_to, policy_on, roster_on
from guard.access_review.roster import PolicyThen
from guard.access_review.service import class_of
from guard.clock import DAY, Micros, to_rfc3339
from guard.errors import InvalidRequestError
from policies.engine import Engine
from policies.model import Form


def access_review(
    *,
    field: Annotated[
        str, typer.Option(help="Path of a field, such as `address.city`; or a class.")
    ],
    on: Annotated[str, typer.Option(help="A day (its last moment, UTC) or an RFC 3339 time.")],
    tenant: Tenant = "demo",
    names: Annotated[bool, typer.Option("--names", help="Name the people.")] = False,
    as_json: Json = False,
) -> None:
    """Say who could see a field on a day: the most open form, by role, desk and team."""
    at = moment(on)
    with reading() as (store, vault), store.read() as view:
        then = policy_on(view, vault, tenant, at)
        roster = roster_on(view, vault, tenant, at)
    cls = class_of(then.bundle, field)
    groups = access_to(Engine(then.bundle), cls, roster.people)
    missing = list(_missing(roster, at))
    document = {
        "field": field,
        "class": cls,
        "on": to_rfc3339(at),
        "policy": then.bundle.digest,
        "policy_known_from": then.known_from,
        "people": len(roster.people),
        "groups": [_group(group, names=names) for group in groups],
        "missing": missing,
    }
    lines = [_headline(field, cls, at, then, groups), *_lines(groups, names=names), *missing]
    say(document, lines, as_json=as_json)


def moment(text: str) -> Micros:
    """An instant; a day stands for its last moment, when all that it brought has happened."""
    at = instant(text)
    if at is None:
        raise InvalidRequestError("say on which day with --on")
    return at if "T" in text else at + DAY - 1


def _headline(field: str, cls: str, at: Micros, then: PolicyThen, groups: Sequence[Group]) -> str:
    counted = {form: len(_people(groups, form)) for form in Form}
    seen = ", ".join(
        f"{counted[form]} in form {form.name.lower()}" for form in (Form.PLAIN, Form.MASK)
    )
    rest = counted[Form.REDACT] + counted[Form.HIDE]
    return (
        f"`{field}` (class {cls}) on {to_rfc3339(at)}: {seen}, {rest} not at all;"
        f" bundle {then.bundle.digest[:12]}, known from {then.known_from}"
    )


def _people(groups: Sequence[Group], form: Form) -> set[str]:
    return {name for group in groups if group.access.form is form for name in group.names}


def _lines(groups: Sequence[Group], *, names: bool) -> Iterator[str]:
    for group in groups:
        access = group.access
        place = f"{group.role}, {group.desk}, {group.kind}, team {group.team or '-'}"
        how = (
            f" ({access.act} for {access.purpose}, link {access.link}, {access.tier} customers;"
            f" by {', '.join(access.by)})"
            if access.by
            else ""
        )
        who = ": " + ", ".join(group.names) if names else ""
        yield f"{access.form.name.lower():6} {len(group.names):>5}  {place}{how}{who}"


def _group(group: Group, *, names: bool) -> dict[str, object]:
    access = group.access
    shown: dict[str, object] = {
        "form": access.form.name.lower(),
        "people": len(group.names),
        "role": group.role,
        "desk": group.desk,
        "kind": group.kind,
        "team": group.team,
        "act": access.act,
        "purpose": access.purpose,
        "link": access.link,
        "tier": access.tier,
        "by": list(access.by),
    }
    return shown | ({"names": list(group.names)} if names else {})


def _missing(roster: Roster, at: Micros) -> Iterator[str]:
    """What the log cannot say."""
    if roster.logged_since is None:
        yield "the directory was never logged: nobody can be named"
    elif roster.logged_since > at:
        since = to_rfc3339(roster.logged_since)
        yield f"the directory is logged since {since} only: who was there before is not known"
    if roster.unlogged:
        yield f"{roster.unlogged} people of today's directory have no entry at all"
    if roster.without_desk:
        yield f"{roster.without_desk} people have entries older than desks: taken as front_line"
    if roster.unreadable:
        yield f"{roster.unreadable} people have a role that this release does not know"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("access-review")(access_review)
