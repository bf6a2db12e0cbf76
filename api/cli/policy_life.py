"""`guard policy propose | approve | activate | rollback | list | backtest`: the life of a bundle.

The steps write the ledger: either the service is stopped and the command opens the data folder in
the name of somebody of the directory (`--as`), or it speaks to the running service (`--server`).
`backtest` only reads, and works beside a running service.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import policy
from api.cli.opened import services
from api.cli.outcome import Json, run_async, say
from api.cli.remote import Server, TokenFile, call
from api.identity.principals import principal_from
from api.identity.scopes import ALL
from api.places import database_url, open_keyring
from api.schemas.policies import BacktestOut, PolicyOut
from api.settings import load_settings
from guard.backtest import Replay, Report
from guard.clock import Micros, from_rfc3339
from guard.errors import InvalidRequestError, NotFoundError
from guard.in_force import InForce
from guard.principals import Principal
from guard.rows import ActivationRow
from guard.store import migrate as tables
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault
from policies.bundle import Bundle, load_bundle

if TYPE_CHECKING:
    from api.bootstrap import Services

Because = Annotated[str, typer.Option(help="Why, in a sentence; it stands in the log.")]
PolicyId = Annotated[str, typer.Argument(help="Id of the policy, as `propose` printed it.")]
As = Annotated[str, typer.Option("--as", help="Who does it; an id of the directory.")]
Tenant = Annotated[str, typer.Option(help="Tenant.")]
Act = Callable[["Services", Principal], Awaitable[ActivationRow]]
# Steps between two lines of progress: some two seconds.
PROGRESS_STEPS = 100


def propose(  # noqa: PLR0913 - each is an option of the command
    folder: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    *,
    because: Because,
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Propose a bundle; it decides nothing until a second person approves and it is activated."""
    files = policy.read_bundle(folder)
    # Before it is sent anywhere: the words of a fault are for whoever has the files.
    load_bundle(files)
    if server:
        texts = {name: content.decode() for name, content in files.items()}
        body = {"files": texts, "because": because}
        _say(call(server, token_file, "/v1/policies", body), as_json=as_json)
        return
    _step(
        lambda opened, who: opened.activations.propose(who, files, because),
        (tenant, as_),
        as_json=as_json,
    )


def approve(
    policy_id: PolicyId,
    *,
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Approve somebody else's policy, or review somebody else's rollback."""
    if server:
        path = f"/v1/policies/{policy_id}/approve"
        _say(call(server, token_file, path, None), as_json=as_json)
        return
    _step(
        lambda opened, who: opened.activations.approve(who, policy_id),
        (tenant, as_),
        as_json=as_json,
    )


def activate(
    policy_id: PolicyId,
    *,
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Put an approved policy in force, on every worker within a second."""
    if server:
        path = f"/v1/policies/{policy_id}/activate"
        _say(call(server, token_file, path, None), as_json=as_json)
        return
    _step(
        lambda opened, who: opened.activations.activate(who, policy_id),
        (tenant, as_),
        as_json=as_json,
    )


def rollback(
    *,
    because: Because,
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Go back to the policy that was in force before, at once; a second person reviews it later."""
    if server:
        document = call(server, token_file, "/v1/policies/rollback", {"because": because})
        _say(document, as_json=as_json)
        return
    _step(
        lambda opened, who: opened.activations.rollback(who, because),
        (tenant, as_),
        as_json=as_json,
    )


def listed(*, tenant: Tenant = "demo", as_json: Json = False) -> None:
    """List every policy that was ever proposed, oldest first."""
    with reading() as (store, _vault), store.read() as view:
        rows = [described(row) for row in view.activations(tenant)]
    lines = [f"{r['id']}  {r['state']:9} {str(r['digest'])[:12]}  {r['because']}" for r in rows]
    say({"policies": rows}, lines or ["no policy was ever proposed"], as_json=as_json)


def backtest(
    bundle: Annotated[str, typer.Argument(help="Folder of a bundle, or the id of a policy.")],
    *,
    since: Annotated[str, typer.Option(help="RFC 3339, or a day.")] = "",
    until: Annotated[str, typer.Option(help="RFC 3339, or a day.")] = "",
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """Decide every stored request again under a bundle, and say what would have changed."""
    start, end = instant(since) or 0, instant(until) or _END
    with reading() as (store, vault):
        report = replayed(store, vault, _candidate(store, tenant, bundle), (tenant, start, end))
    document = BacktestOut.model_validate(report).model_dump(mode="json")
    say(document, report_lines(report), as_json=as_json)


_END: Micros = 1 << 62


def replayed(
    store: SqlReader, vault: EntryVault, bundle: Bundle, place: tuple[str, Micros, Micros]
) -> Report:
    """Replay a tenant's log of [since, until) under a bundle, a short read at a time."""
    tenant, since, until = place
    with store.read() as view:
        replay = Replay.over(
            view, InForce.of(bundle), vault, tenant=tenant, since=since, until=until
        )
    steps, more = 0, True
    while more:
        # A snapshot for each step: none stays open while the log grows.
        with store.read() as view:
            more = replay.step(view)
        steps += 1
        if steps % PROGRESS_STEPS == 0:
            print(f"{replay.entries:,} entries", file=sys.stderr)
    return replay.report()


def report_lines(report: Report) -> Iterator[str]:
    """A report in words, the sentence first."""
    yield report.sentence
    yield (
        f"{report.decided:,} of {report.entries:,} entries replayed on {report.facts:,} different"
        f" facts; budgets, suspensions and modes are not part of it"
    )
    if report.repaired:
        yield (
            f"{report.repaired:,} judged by the link of a case that came late, and decided on what"
            f" was known before it"
        )
    for team in report.teams:
        yield (
            f"{team.advice}; {team.honest_covered:,} shown less openly, of {team.requests:,}"
            f" requests {team.newly_refused:,} newly refused, {team.newly_allowed:,} newly allowed"
        )
    for act in report.acts:
        yield (
            f"{act.act}: {act.requests:,} requests, {act.newly_refused:,} newly refused,"
            f" {act.newly_allowed:,} newly allowed"
        )
    for cls in report.classes:
        yield f"{cls.field_class}: {cls.before} becomes {cls.after} in {cls.requests:,} requests"
    for row in report.refused_by:
        yield f"refused by {row.name}: {row.requests:,}"
    for row in report.not_replayed:
        yield f"not replayed, {row.name}: {row.requests:,}"
    for row in report.assumed:
        yield f"older than the fact, taken as {row.name}: {row.requests:,}"


def described(row: ActivationRow) -> dict[str, object]:
    """An activation as the API describes it."""
    return PolicyOut.model_validate(row).model_dump(mode="json")


def instant(text: str) -> Micros | None:
    """Read a time, or a day as its first moment; empty: None.

    Raises:
        InvalidRequestError: It is neither.
    """
    if not text:
        return None
    try:
        return from_rfc3339(text if "T" in text else text + "T00:00:00Z")
    except ValueError:
        raise InvalidRequestError(
            "write a time as 2026-11-21T18:00:00Z, or a day as 2026-11-21"
        ) from None


@contextmanager
def reading() -> Iterator[tuple[SqlReader, EntryVault]]:
    """The store of the settings, read only, and what opens its entries."""
    settings = load_settings()
    url = database_url(settings)
    tables.check(url)
    with SqlReader(url) as store:
        yield store, EntryVault(open_keyring(settings))


def _candidate(store: SqlReader, tenant: str, name: str) -> Bundle:
    """A bundle in a folder, or one that was proposed."""
    with store.read() as view:
        row = view.activation(tenant, name)
        files = None if row is None else view.bundle(row.digest)
    return load_bundle(policy.read_bundle(Path(name)) if files is None else files)


def _step(act: Act, who: tuple[str, str], *, as_json: bool) -> None:
    """Take one step in the data folder itself, in somebody's name."""
    tenant, name = who
    if not name:
        raise InvalidRequestError("say who does it with --as, or name a running --server")

    async def work() -> ActivationRow:
        async with services() as opened:
            row = await opened.directory.get(tenant, name)
            if row is None or not row.is_active:
                raise NotFoundError("nobody active of that id is in the directory")
            person = principal_from(
                row, actor=None, client="cli", session="cli", scopes=frozenset(ALL), mfa_at=None
            )
            return await act(opened, person)

    _say(described(run_async(work)), as_json=as_json)


def _say(document: dict[str, object], *, as_json: bool) -> None:
    due = ", a second person must review it" if document.get("review_due") else ""
    say(document, [f"policy {document['id']} is {document['state']}{due}"], as_json=as_json)


def register(_parent: typer.Typer) -> None:
    """Add the commands to the group `policy`."""
    group = policy.app
    for command in (propose, approve, activate, rollback, backtest):
        group.command()(command)
    group.command("list")(listed)
