"""`guard export`: the log taken out into a file, and gone on with if it breaks off."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from api.cli.instants import instant
from api.cli.opened import services, somebody
from api.cli.outcome import run_async
from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.exports import CellGuard, ExportFormat
from guard.exports.order import ExportOrder
from guard.principals import Principal
from guard.rows import LogQuery

if TYPE_CHECKING:
    from api.bootstrap import Services

RAW = "raw"
# Chunks between two lines of progress.
PROGRESS_CHUNKS = 50


@dataclass(frozen=True, slots=True)
class Files:
    """A file on its way to `out`: what has arrived, whose job it is, and its manifest."""

    out: Path

    @property
    def part(self) -> Path:
        """What has arrived."""
        return self.out.with_name(self.out.name + ".part")

    @property
    def job(self) -> Path:
        """Which export it is."""
        return self.out.with_name(self.out.name + ".part.job")

    @property
    def manifest(self) -> Path:
        """What is in the finished file, signed."""
        return self.out.with_name(self.out.name + ".manifest")

    def check(self, *, is_resumed: bool) -> None:
        """Refuse to write over anything.

        Raises:
            InvalidRequestError: There is such a file, or nothing to go on with.
        """
        if self.out.exists():
            raise InvalidRequestError("that file exists: choose another name")
        if is_resumed and not (self.part.is_file() and self.job.is_file()):
            raise InvalidRequestError("there is nothing to go on with: leave `--resume` out")
        if not is_resumed and self.part.exists():
            raise InvalidRequestError("a part of it is there: go on with `--resume`, or remove it")


def _known(fmt: str) -> str:
    if fmt not in {*ExportFormat, RAW}:
        raise typer.BadParameter(f"choose one of {', '.join([*ExportFormat, RAW])}")
    return fmt


def _kinds(words: str) -> tuple[EntryKind, ...]:
    names = {kind.name.lower(): kind for kind in EntryKind}
    asked = words.replace(",", " ").split()
    if unknown := [word for word in asked if word not in names]:
        raise InvalidRequestError(f"no such kind of entry: {', '.join(unknown)}")
    return tuple(names[word] for word in asked)


def export(  # noqa: PLR0913 - each is an option of the command
    fmt: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help=f"{', '.join(ExportFormat)}, or {RAW}: as it is kept, for a mirror.",
            callback=_known,
        ),
    ] = ExportFormat.NDJSON.value,
    *,
    as_: Annotated[str, typer.Option("--as", help="The auditor in whose name it is recorded.")],
    tenant: Annotated[str, typer.Option(help="Tenant.")] = "demo",
    agent: Annotated[str | None, typer.Option(help="Only this agent.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer (reference).")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Only this vendor.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Only for this purpose.")] = None,
    link: Annotated[str | None, typer.Option(help="Only with this link to the customer.")] = None,
    field: Annotated[
        str | None, typer.Option(help="Only where something of this field class was shown.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Only where it was in plain.")] = False,
    kinds: Annotated[str, typer.Option(help="Only these kinds, such as `view,refusal`.")] = "",
    since: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    until: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    customers: Annotated[
        bool, typer.Option(help="Name customers, by reference; without, nobody is named.")
    ] = True,
    cells: Annotated[
        CellGuard, typer.Option(help="Of CSV: whether a spreadsheet may run cells.")
    ] = CellGuard.FORMULAS,
    why: Annotated[str, typer.Option(help="What it is for; it stands in the manifest.")] = "",
    recipient: Annotated[str, typer.Option(help="Who gets it outside of the company.")] = "",
    out: Annotated[Path | None, typer.Option(help="File; without it: standard output.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on where `--out` broke off.")] = False,
) -> None:
    """Take the log out, newest first; each chunk is recorded before it leaves."""
    query = LogQuery(
        tenant=tenant,
        agent_id=agent,
        ref=customer,
        team=team,
        vendor=vendor,
        purpose=purpose,
        link=link,
        field=field or None,
        is_clear=clear,
        kinds=_kinds(kinds),
        since=instant(since),
        until=instant(until),
    )
    if resume and (out is None or fmt == RAW):
        raise InvalidRequestError("`--resume` goes on with a file: name it with `--out`")
    files = None if out is None else Files(out)
    if files is not None:
        files.check(is_resumed=resume)

    async def work() -> int:
        async with services() as opened:
            auditor = await somebody(opened, tenant, as_)
            if fmt == RAW:
                return await _save(await opened.exports.raw(auditor), out)
            order = ExportOrder(
                format=ExportFormat(fmt),
                query=query,
                cells=cells,
                customers=customers,
                why=why,
                recipient=recipient,
            )
            if files is None:
                return await _save((await opened.exports.export(auditor, order)).pieces, None)
            return await _keep(opened, auditor, order, files, is_resumed=resume)

    print(f"{run_async(work)} bytes written", file=sys.stderr)


async def _save(pieces: AsyncIterator[bytes], out: Path | None) -> int:
    """Write all pieces to a new file or to the standard output."""
    if out is None:
        return await _write(pieces, sys.stdout.buffer)
    with out.open("xb") as file:
        return await _write(pieces, file)


async def _write(pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
    written = 0
    async for piece in pieces:
        written += file.write(piece)
    return written


async def _keep(
    opened: "Services", who: Principal, order: ExportOrder, files: Files, *, is_resumed: bool
) -> int:
    """Write, or go on writing, `files.part`; name it `files.out` once all of it is there."""
    if is_resumed:
        job = str(json.loads(files.job.read_text())["job"])
        download = await opened.exports.resume(who, job, files.part.stat().st_size)
    else:
        download = await opened.exports.export(who, order)
        job = download.job
        files.job.write_text(json.dumps({"job": job}))
    written = 0
    with files.part.open("r+b" if is_resumed else "xb") as file:
        file.truncate(download.offset)
        file.seek(download.offset)
        number = 0
        async for piece in download.pieces:
            written += file.write(piece)
            number += 1
            if number % PROGRESS_CHUNKS == 0:
                await _say(opened, who, job)
    done = await opened.exports.progress(who, job)
    files.manifest.write_bytes(await opened.exports.manifest(who, done.sha256))
    files.part.rename(files.out)
    files.job.unlink()
    return written


async def _say(opened: "Services", who: Principal, job: str) -> None:
    now = await opened.exports.progress(who, job)
    share = 100 * (now.size - now.before) // max(1, now.size)
    print(f"{share} % of the log, {now.entries} entries, {now.octets} bytes", file=sys.stderr)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
