"""Which part of the log somebody is answered from, and what of the rest is only counted.

The tenant's, or that of one's own region, vendor or team, as the directory says. Rows stay in their
region whatever the scope: whoever has a region gets those of their own and of none.
"""

from dataclasses import replace

from guard.entries import BodyValue, StoredEntry
from guard.errors import AccessDeniedError
from guard.principals import LogScope, Principal
from guard.rows import LogQuery


def scoped(principal: Principal, query: LogQuery) -> tuple[LogQuery | None, LogQuery | None]:
    """What the caller is answered from, and what is only counted; None: nothing.

    Raises:
        AccessDeniedError: Another vendor's or team's part is asked for, or the scope has no name.
    """
    scope = principal.log_scope
    own_place = {
        LogScope.REGION: principal.region,
        LogScope.VENDOR: principal.vendor,
        LogScope.TEAM: principal.team,
    }.get(scope)
    if own_place == "":
        raise AccessDeniedError(f"the directory gives you no {scope.value} to read the log of")
    if scope in {LogScope.VENDOR, LogScope.TEAM}:
        if getattr(query, scope.value) not in {None, own_place}:
            raise AccessDeniedError(f"you read the log of your own {scope.value} alone")
        is_vendor = scope is LogScope.VENDOR
        query = replace(query, vendor=own_place) if is_vendor else replace(query, team=own_place)
    if not principal.region:
        return query, None
    home = (principal.region,) if scope is LogScope.REGION else (principal.region, "")
    regions = tuple(name for name in home if not query.regions or name in query.regions)
    own = replace(query, regions=regions) if regions else None
    is_counted = scope is not LogScope.REGION and query.before is None
    elsewhere = replace(query, not_regions=home) if is_counted else None
    return own, elsewhere


def is_of(stored: StoredEntry, tenant: str) -> bool:
    """Whether an entry is of this tenant, by its clear columns."""
    return stored.searched is not None and stored.searched["tenant"] == tenant


def is_within(stored: StoredEntry, own: LogQuery) -> bool:
    """Whether an entry lies in the part of the log that `own` is narrowed to."""
    kept = stored.searched or {}
    return (
        (not own.regions or kept["region"] in own.regions)
        and own.vendor in {None, kept["vendor"]}
        and own.team in {None, kept["team"]}
    )


def narrowed(query: LogQuery) -> dict[str, BodyValue]:
    """What a question was narrowed to, as its entry says it; who it is about is said elsewhere."""
    said: dict[str, BodyValue] = {
        "field": query.field,
        "clear": query.is_clear,
        "purpose": query.purpose,
        "vendor": query.vendor,
        "team": query.team,
        "region": ",".join(query.regions),
        "link": query.link,
        "kinds": ",".join(kind.name.lower() for kind in query.kinds),
        "since": query.since,
        "until": query.until,
        "before": query.before,
    }
    return {name: value for name, value in said.items() if value}
