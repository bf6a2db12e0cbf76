"""`guard token`, `guard keys`, `guard sign-in`: credentials, from an operator's shell.

Whoever can run these can read the keys in the data folder, so no further credential is asked for.
They write the ledger: on SQLite the service must not be running (a line says so); a running service
gives sign-in tickets over `POST /v1/sign-in-tickets`, and makes and revokes keys at `/v1/api-keys`.
"""

from typing import Annotated

import typer

from api.cli.opened import services
from api.cli.outcome import Json, run_async, say
from api.identity.credentials import ApiKeyPut
from api.identity.issuer import Grant, LocalIssuer
from api.identity.scopes import ALL
from api.settings import Settings, load_settings
from guard.clock import DAY, wall_micros
from guard.errors import AccessDeniedError, InvalidRequestError

Tenant = Annotated[str, typer.Option(help="Tenant.")]
token = typer.Typer(help="Tokens of the local demo issuer.", no_args_is_help=True)
keys = typer.Typer(help="API keys of tools.", no_args_is_help=True)


def local_issuer(settings: Settings) -> LocalIssuer:
    """The issuer whose tokens a service in demo mode takes."""
    return LocalIssuer.open(
        settings.data_dir,
        issuer=settings.issuer,
        audience=settings.audience,
        wall=wall_micros,
    )


@token.command()
def mint(  # noqa: PLR0913 - each is an option of the command
    subject: Annotated[str, typer.Argument(help="Id in the directory.")],
    *,
    tenant: Tenant = "demo",
    client: Annotated[str, typer.Option(help="The tool it comes through.")] = "desktop",
    scope: Annotated[list[str] | None, typer.Option(help="May be repeated; none: all.")] = None,
    act: Annotated[str | None, typer.Option(help="AI agent that acts for the subject.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24, help="Life.")] = 1,
    mfa: Annotated[bool, typer.Option(help="As if a second factor had just been shown.")] = False,
    as_json: Json = False,
) -> None:
    """Sign a token of the local issuer, which only a service in demo mode takes."""
    settings = load_settings()
    if not settings.demo:
        raise AccessDeniedError(
            "the local issuer is for demos: set RECORDGUARD_DEMO=true or ask your own issuer"
        )
    grant = Grant(
        sub=subject,
        tenant=tenant,
        client=client,
        scopes=tuple(scope or sorted(ALL)),
        act=act,
        life_s=int(hours * 3600),
        mfa=mfa,
    )
    text = local_issuer(settings).mint(grant)
    say({"token": text}, [text], as_json=as_json)


@keys.command()
def create(
    client: Annotated[str, typer.Argument(help="The tool's id in the directory.")],
    *,
    scope: Annotated[list[str], typer.Option(help="May be repeated, such as `views:write`.")],
    tenant: Tenant = "demo",
    may_assert: Annotated[
        bool, typer.Option(help="The tool may say for which agent it asks.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=400, help="Life.")] = 90,
    as_json: Json = False,
) -> None:
    """Make a key; its text is shown here once and stored nowhere."""
    put = ApiKeyPut(
        tenant=tenant,
        client=client,
        scopes=tuple(scope),
        may_assert=may_assert,
        expires_at=wall_micros() + days * DAY,
    )

    async def work() -> tuple[str, str]:
        async with services() as opened:
            row, text = await opened.credentials.create_api_key(put)
            return row.id, text

    key_id, text = run_async(work)
    lines = [text, f"this is key {key_id}; the text above is not shown again"]
    say({"id": key_id, "key": text}, lines, as_json=as_json)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key.")],
    *,
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """Revoke a key; the next request with it is refused."""

    async def work() -> str:
        async with services() as opened:
            return (await opened.credentials.revoke_api_key(tenant, key_id)).id

    revoked = run_async(work)
    say({"revoked": revoked}, [f"key {revoked} is revoked"], as_json=as_json)


def sign_in(
    principal: Annotated[str, typer.Argument(help="Id in the directory.")],
    *,
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """Make a link that signs somebody in to the console once, within five minutes."""
    settings = load_settings()
    if not principal.strip():
        raise InvalidRequestError("name somebody of the directory")

    async def work() -> str:
        async with services(settings) as opened:
            return await opened.credentials.mint_ticket(tenant, principal)

    link = sign_in_link(settings.host, settings.port, run_async(work))
    say({"link": link}, [link], as_json=as_json)


def sign_in_link(host: str, port: int, ticket: str) -> str:
    """Where a browser takes a ticket; behind the `#`, so that no server ever logs it."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/console/sign-in#{ticket}"


def register(app: typer.Typer) -> None:
    """Add the groups and the command."""
    app.add_typer(token, name="token")
    app.add_typer(keys, name="keys")
    app.command("sign-in")(sign_in)
