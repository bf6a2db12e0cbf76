"""`guard erase`, `guard hold` and `guard restore-check`: forgetting, from an operator's shell.

The steps write the ledger: either the service is stopped and the command opens the data folder in
the name of somebody of the directory (`--as`), or it speaks to the running service (`--server`).
Whoever has the data folder can name anybody, so what takes a second person takes that person's own
token: with `--as` there is no approving.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import BaseModel

from api.cli.instants import instant
from api.cli.opened import services, somebody
from api.cli.outcome import Json, run_async, say
from api.cli.remote import Server, TokenFile, call, read
from api.schemas.erasures import ErasingOut, ErasureOut, ErasuresOut
from api.schemas.holds import HoldOut
from api.settings import load_settings
from guard.errors import AccessDeniedError, InvalidRequestError
from guard.forgetting import ErasureGround, HoldGround, HoldPut, Restored
from guard.principals import Principal
from guard.rows import HoldRow, HoldScope

if TYPE_CHECKING:
    from api.bootstrap import Services

T = TypeVar("T")
erase = typer.Typer(help="Forget a customer; it takes two people.", no_args_is_help=True)
hold = typer.Typer(help="Legal holds: what must be kept.", no_args_is_help=True)
As = Annotated[
    str, typer.Option("--as", help="Without --server: who does it; an id of the directory.")
]
Tenant = Annotated[str, typer.Option(help="Without --server: the tenant.")]
ErasureId = Annotated[str, typer.Argument(help="Id of the erasure, as `propose` printed it.")]


@erase.command()
def propose(  # noqa: PLR0913 - each is an option of the command
    customer: Annotated[str, typer.Argument(help="Reference of the customer.")],
    *,
    ground: Annotated[ErasureGround, typer.Option(help="Legal ground.")],
    reason: Annotated[str, typer.Option(help="Why; it is forgotten with the customer.")],
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Propose to forget a customer; nothing happens until a second person approves it."""
    if server:
        body = {"customer": customer, "ground": ground.value, "reason": reason}
        _say_step(call(server, token_file, "/v1/erasures", body), as_json=as_json)
        return
    done = _step(
        lambda opened, who: opened.erasures.propose(who, customer, ground, reason), (tenant, as_)
    )
    _say_step(_plain(ErasingOut.of(done)), as_json=as_json)


@erase.command()
def approve(
    erasure_id: ErasureId,
    *,
    server: Annotated[str, typer.Option(help="Address of the running service.")],
    token_file: Annotated[Path, typer.Option(help="File with the second person's own token.")],
    as_json: Json = False,
) -> None:
    """Approve somebody else's erasure: the customer is nobody's from then on."""
    path = f"/v1/erasures/{erasure_id}/approvals"
    _say_step(call(server, token_file, path, None), as_json=as_json)


@erase.command()
def status(
    *,
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """List the newest erasures and where they stand."""
    if server:
        document: Mapping[str, Any] = read(server, token_file, "/v1/erasures", {})
    else:
        rows = _step(lambda opened, who: opened.erasures.list(who), (tenant, as_))
        document = _plain(ErasuresOut(erasures=[ErasureOut.model_validate(row) for row in rows]))
    lines = [
        f"{one['id']} {one['state']}: {one['customer']}, {one['ground']}"
        for one in document["erasures"]
    ]
    say(document, lines or ["nobody was ever erased"], as_json=as_json)


@hold.command("set")
def place(  # noqa: PLR0913 - each is an option of the command
    scope: Annotated[HoldScope, typer.Argument(help="What is kept.")],
    value: Annotated[
        str, typer.Argument(help="Which customer, agent or case; of a time, nothing.")
    ] = "",
    *,
    ground: Annotated[HoldGround, typer.Option(help="Legal ground.")],
    matter: Annotated[str, typer.Option(help="The company's file number.")],
    since: Annotated[str, typer.Option(help="Only from this time on; RFC 3339.")] = "",
    until: Annotated[str, typer.Option(help="Only before this time; RFC 3339.")] = "",
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Set a legal hold; it is in force at once."""
    if server:
        body = {
            "scope": scope.value,
            "value": value,
            "ground": ground.value,
            "matter": matter,
            "since": since or None,
            "until": until or None,
        }
        _say_hold(call(server, token_file, "/v1/holds", body), as_json=as_json)
        return
    put = HoldPut(
        scope=scope,
        value=value,
        ground=ground,
        matter=matter,
        since=instant(since),
        until=instant(until),
    )
    row = _step(lambda opened, who: opened.holds.set(who, put), (tenant, as_))
    _say_hold(_plain(HoldOut.model_validate(row)), as_json=as_json)


@hold.command()
def lift(
    hold_id: Annotated[str, typer.Argument(help="Id of the hold.")],
    *,
    as_: As = "",
    tenant: Tenant = "demo",
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Propose to lift a hold or, as the second person with --server, lift it."""
    if server:
        _say_hold(call(server, token_file, f"/v1/holds/{hold_id}/lifts", None), as_json=as_json)
        return

    async def act(opened: "Services", who: Principal) -> HoldRow:
        if any(one.id == hold_id and one.lift_by for one in await opened.holds.list(who)):
            raise AccessDeniedError(
                "lifting this hold is proposed already: the second person lifts it with --server"
                " and a token of their own"
            )
        return await opened.holds.lift(who, hold_id)

    row = _step(act, (tenant, as_))
    _say_hold(_plain(HoldOut.model_validate(row)), as_json=as_json)


def restore_check(*, as_json: Json = False) -> None:
    """After a restore: forget again whom the older database knows, before anything is served."""

    async def work() -> Restored:
        from api.bootstrap import build  # noqa: PLC0415 - knows every room

        # Not started: nothing is served, and a log that is behind what was signed is not continued.
        built = build(load_settings())
        try:
            return await asyncio.to_thread(built.restoring.replay)
        finally:
            await built.close()

    found = run_async(work)
    lines = [
        f"{found.erasures} erasures replayed, {found.rewrapped} customers given their newer keys",
    ]
    if found.unnamed:
        lines.append(
            f"{found.unnamed} published erasures are of nobody in this copy, or of one of its"
            f" {found.unreadable} customers whose keys are gone"
        )
    document = {
        "erasures": found.erasures,
        "rewrapped": found.rewrapped,
        "unnamed": found.unnamed,
        "unreadable": found.unreadable,
    }
    say(document, lines, as_json=as_json)


def _step(act: Callable[["Services", Principal], Awaitable[T]], who: tuple[str, str]) -> T:
    """Open the data folder and do one thing in the name of somebody of the directory."""
    tenant, as_ = who
    if not as_:
        raise InvalidRequestError("say in whose name: --as, or --server with a token")

    async def work() -> T:
        async with services() as opened:
            return await act(opened, await somebody(opened, tenant, as_))

    return run_async(work)


def _say_step(answer: Mapping[str, Any], *, as_json: bool) -> None:
    row = answer["erasure"]
    lines = [f"{row['id']} {row['state']}", f"entry {answer['receipt']['entry_id']}"]
    lines += [f"kept by {h['id']}: {h['ground']}, {h['matter']}" for h in answer["held_by"]]
    say(answer, lines, as_json=as_json)


def _say_hold(row: Mapping[str, Any], *, as_json: bool) -> None:
    state = (
        "lifted"
        if row["lifted_by"]
        else "waits for a second person"
        if row["lift_by"]
        else "in force"
    )
    say(row, [f"{row['id']} {state}"], as_json=as_json)


def _plain(answer: BaseModel) -> Mapping[str, object]:
    return answer.model_dump(mode="json")


def register(app: typer.Typer) -> None:
    """Add the groups and the command."""
    app.add_typer(erase, name="erase")
    app.add_typer(hold, name="hold")
    app.command("restore-check")(restore_check)
