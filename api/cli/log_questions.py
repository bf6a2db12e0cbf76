"""`guard log`: who saw whom, the newest entries, one entry, its proof.

Asked of a running service (`--server`), or of the data folder itself in an auditor's name (`--as`).
Either way the question is an entry of the log, with its reason, and the answer keeps to the scope
and region of whoever asks.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.instants import instant
from api.cli.opened import services, somebody
from api.cli.outcome import Json, run_async, say
from api.cli.remote import Server, TokenFile, read, read_file
from api.schemas.alerts import EntryOut
from api.schemas.log import CountOut, place_of
from guard.entries import LOOKS, EntryKind
from guard.errors import ConfigurationError, InvalidRequestError
from guard.principals import Principal
from guard.rows import LogQuery

if TYPE_CHECKING:
    from api.bootstrap import Services

PAGE = 200
# How often a followed log is looked at; each look that finds the log longer is an entry itself.
POLL_S = 2.0

app = typer.Typer(help="The log: who saw whom, entries, proofs.", no_args_is_help=True)

As = Annotated[
    str, typer.Option("--as", help="Without --server: the auditor in whose name you ask.")
]
Tenant = Annotated[str, typer.Option(help="Without --server: the tenant.")]
Limit = Annotated[int, typer.Option(min=1, help="The newest so many.")]
Reason = Annotated[str, typer.Option(help="Why you ask; kept in the entry of your question.")]
Field = Annotated[str, typer.Option(help="Only where something of this field class was shown.")]
Clear = Annotated[bool, typer.Option("--clear", help="Only what was shown in plain.")]
Purpose = Annotated[str, typer.Option(help="Only of this purpose.")]
Vendor = Annotated[str, typer.Option(help="Only by agents of this vendor.")]
Team = Annotated[str, typer.Option(help="Only by agents of this team.")]
Link = Annotated[str, typer.Option(help="Only what this explained, such as `none`.")]
Kind = Annotated[list[str] | None, typer.Option(help="Only this kind; may be repeated.")]
Since = Annotated[str, typer.Option(help="RFC 3339.")]
Until = Annotated[str, typer.Option(help="RFC 3339.")]
Entry = Annotated[str, typer.Argument(help="Its index, or its id in hex.")]

Page = Mapping[str, Any]
Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the answers come from."""

    server: str
    token_file: Path | None
    auditor: str
    tenant: str

    def page(self, asked: Asked) -> Page:
        """A page, in the words of `GET /v1/log/views`."""
        if self.server:
            return read(self.server, self.token_file, "/v1/log/views", asked)
        return run_async(lambda: self._local_page(asked))

    def entry(self, entry: str) -> Page:
        """One entry."""
        if self.server:
            return read(self.server, self.token_file, f"/v1/log/entries/{entry}", {})
        return run_async(lambda: self._local_entry(entry))

    def proof(self, entry: str) -> bytes:
        """The proof of one entry; it names nobody, so nobody needs to be named for it."""
        if self.server:
            return read_file(self.server, self.token_file, f"/v1/log/proof/{entry}")
        return run_async(lambda: self._local_proof(entry))

    def size(self) -> int:
        """The size of the published log."""
        note = read_file(self.server, self.token_file, "/v1/log/checkpoint")
        return int(note.split(b"\n")[1])

    async def _local_page(self, asked: Asked) -> Page:
        async with services() as opened:
            principal = await self._principal(opened)
            query = replace(_query(asked), tenant=self.tenant)
            found = await opened.auditing.views(principal, query, asked.get("reason", ""))
        counted = found.elsewhere
        return {
            "entries": [EntryOut.of(one).model_dump(mode="json") for one in found.entries],
            "next": found.following,
            "elsewhere": None if counted is None else CountOut.of(counted).model_dump(),
        }

    async def _local_entry(self, entry: str) -> Page:
        async with services() as opened:
            principal = await self._principal(opened)
            found = await opened.auditing.entry(principal, place_of(entry))
        return EntryOut.of(found).model_dump(mode="json")

    async def _local_proof(self, entry: str) -> bytes:
        async with services() as opened:
            return await opened.auditing.proof(place_of(entry))

    async def _principal(self, opened: "Services") -> Principal:
        if not self.auditor:
            raise ConfigurationError("name who asks with --as, or a running service with --server")
        return await somebody(opened, self.tenant, self.auditor)


@app.command()
def tail(  # noqa: PLR0913 - each is an option of the command
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is new; needs --server.")
    ] = False,
    limit: Limit = 20,
    kind: Kind = None,
    server: Server = "",
    token_file: TokenFile = None,
    as_: As = "",
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """The newest views and refusals, oldest first."""
    source = Source(server=server, token_file=token_file, auditor=as_, tenant=tenant)
    if follow and not server:
        raise ConfigurationError("-f follows a running service: name it with --server")
    asked = _given(kind=kind)
    entries, _ = gathered(source.page, asked, limit)
    newest = list(reversed(entries))
    if not follow:
        say({"entries": newest}, table(newest), as_json=as_json)
        return
    say_lines(table(newest))
    wait = threading.Event().wait
    for more in followed(source, asked, entries, lambda: wait(POLL_S)):
        say_lines(list(table(more))[1:])


@app.command("who-saw")
def who_saw(  # noqa: PLR0913 - each is an option of the command
    customer: Annotated[str, typer.Argument(help="Reference of the customer.")],
    *,
    agent: Annotated[str, typer.Option(help="Only this agent; needs --reason.")] = "",
    reason: Reason = "",
    field: Field = "",
    clear: Clear = False,
    purpose: Purpose = "",
    vendor: Vendor = "",
    team: Team = "",
    link: Link = "",
    kind: Kind = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = 100,
    server: Server = "",
    token_file: TokenFile = None,
    as_: As = "",
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """Everyone who saw a customer, newest first."""
    asked = _given(
        customer=customer, agent=agent, reason=reason, field=field, clear=clear, purpose=purpose,
        vendor=vendor, team=team, link=link, kind=kind, since=since, until=until,
    )  # fmt: skip
    source = Source(server=server, token_file=token_file, auditor=as_, tenant=tenant)
    _answer(source, asked, limit, as_json=as_json)


@app.command("seen-by")
def seen_by(  # noqa: PLR0913 - each is an option of the command
    agent: Annotated[str, typer.Argument(help="Id of the agent, or of the AI agent.")],
    *,
    reason: Annotated[str, typer.Option(help="Why you ask; kept in the entry of your question.")],
    field: Field = "",
    clear: Clear = False,
    purpose: Purpose = "",
    link: Link = "",
    kind: Kind = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = 100,
    server: Server = "",
    token_file: TokenFile = None,
    as_: As = "",
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """Everything that an agent saw, newest first."""
    asked = _given(
        agent=agent, reason=reason, field=field, clear=clear, purpose=purpose, link=link,
        kind=kind, since=since, until=until,
    )  # fmt: skip
    source = Source(server=server, token_file=token_file, auditor=as_, tenant=tenant)
    _answer(source, asked, limit, as_json=as_json)


@app.command()
def show(
    entry: Entry,
    *,
    server: Server = "",
    token_file: TokenFile = None,
    as_: As = "",
    tenant: Tenant = "demo",
    as_json: Json = False,
) -> None:
    """One entry, opened."""
    source = Source(server=server, token_file=token_file, auditor=as_, tenant=tenant)
    found = source.entry(entry)
    lines = [f"{name:12} {_cell(value)}" for name, value in found.items() if value]
    say(found, lines, as_json=as_json)


@app.command()
def proof(
    entry: Entry,
    *,
    out: Annotated[Path | None, typer.Option(help="File; without it <entry>.tlog-proof.")] = None,
    server: Server = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Write the C2SP proof that an entry is in the log."""
    source = Source(server=server, token_file=token_file, auditor="", tenant="")
    path = Path(f"{entry}.tlog-proof") if out is None else out
    content = source.proof(entry)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise InvalidRequestError("that file exists: choose another name with --out") from None
    say({"file": str(path), "bytes": len(content)}, [f"written to {path}"], as_json=as_json)


def gathered(
    page: Callable[[Asked], Page], asked: Asked, limit: int
) -> tuple[list[Page], Page | None]:
    """The newest `limit` answers, page by page, and the count of what stays in other regions."""
    entries: list[Page] = []
    elsewhere, cursor = None, None
    while len(entries) < limit:
        more: Asked = {} if cursor is None else {"cursor": cursor}
        found = page({**asked, **more, "limit": min(PAGE, limit - len(entries))})
        entries += found["entries"]
        elsewhere, cursor = elsewhere or found["elsewhere"], found["next"]
        if cursor is None:
            break
    return entries, elsewhere


def followed(
    source: Source, asked: Asked, seen: Sequence[Page], wait: Callable[[], object]
) -> Iterator[list[Page]]:
    """What is new, oldest first, whenever the log has got longer by more than our own look."""
    last = seen[0]["index"] if seen else -1
    known = source.size()
    while True:
        wait()
        size = source.size()
        if size <= known:
            continue
        new: list[Page] = []
        cursor: object = None
        while True:
            more: Asked = {} if cursor is None else {"cursor": cursor}
            found = source.page({**asked, **more, "limit": PAGE})
            fresh = [one for one in found["entries"] if one["index"] > last]
            new += fresh
            cursor = found["next"]
            if cursor is None or len(fresh) < len(found["entries"]) or not found["entries"]:
                break
        # The look is an entry too, which nobody wants to be told of.
        known = size + 1
        if new:
            last = new[0]["index"]
            yield new[::-1]


def _answer(source: Source, asked: Asked, limit: int, *, as_json: bool) -> None:
    entries, elsewhere = gathered(source.page, asked, limit)
    lines = list(table(entries))
    if elsewhere is not None and (elsewhere["count"] or not elsewhere["is_exact"]):
        lead = "" if elsewhere["is_exact"] else "more than "
        lines.append(f"{lead}{elsewhere['count']:,} more in other regions; their rows stay there")
    say({"entries": entries, "elsewhere": elsewhere}, lines, as_json=as_json)


def table(entries: Iterable[Page]) -> Iterator[str]:
    """Entries as lines, under a heading."""
    yield _LINE.format("ENTRY", "TIME", "KIND", "AGENT", "CUSTOMER", "PURPOSE", "LINK", "SHOWN")
    for one in entries:
        actor = f" via {one['actor']}" if one["actor"] else ""
        customers = " ".join(name or "erased" for name in one["customers"])
        shown = " ".join(f"{cls}={form}" for cls, form in one["classes"].items())
        yield _LINE.format(
            one["index"],
            one["at"][:19] + "Z",
            one["kind"],
            one["agent"] + actor,
            customers,
            one["purpose"],
            one["link"],
            shown if one["outcome"] != "refused" else "refused",
        ).rstrip()


_LINE = "{:>8}  {:20}  {:12}  {:14}  {:24}  {:15}  {:11}  {}"


def say_lines(lines: Iterable[str]) -> None:
    """Print at once: somebody is watching."""
    for line in lines:
        print(line)
    sys.stdout.flush()


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, list):
        return " ".join("erased" if one is None else str(one) for one in value)
    return str(value)


def _given(**options: object) -> dict[str, Any]:
    """The options that were given, as parameters of the route."""
    return {name: value for name, value in options.items() if value}


def _query(asked: Asked) -> LogQuery:
    """The same question, for the data folder itself."""
    return LogQuery(
        tenant="",
        ref=asked.get("customer"),
        agent_id=asked.get("agent"),
        field=asked.get("field"),
        is_clear=asked.get("clear", False),
        purpose=asked.get("purpose"),
        vendor=asked.get("vendor"),
        team=asked.get("team"),
        link=asked.get("link"),
        kinds=tuple(_kind(name) for name in asked.get("kind", ())) or LOOKS,
        since=instant(asked.get("since")),
        until=instant(asked.get("until")),
        before=asked.get("cursor"),
        limit=asked["limit"],
    )


def _kind(name: str) -> EntryKind:
    try:
        return EntryKind[name.upper()]
    except KeyError:
        raise InvalidRequestError(f"`{name}` is no kind of entry, write `view`") from None


def register(guard: typer.Typer) -> None:
    """Add the group."""
    guard.add_typer(app, name="log")
