"""`guard evidence` and `guard verify-bundle`: what leaves the house, and how others check it."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.instants import instant
from api.cli.opened import services
from api.cli.outcome import Exit, Json, run_async, say
from api.identity.principals import principal_from
from api.identity.scopes import ALL
from api.places import export_signer, log_dir, log_signer
from guard.errors import InvalidRequestError, NotFoundError
from guard.evidence.checking import verify_bundle as check_bundle
from guard.evidence.service import Evidence, Question
from guard.ledger.note import parse_vkey
from guard.ledger.tiles import TileFolder
from guard.ledger.trust import parse_policy


def evidence(  # noqa: PLR0913 - each is an option of the command
    *,
    out: Annotated[Path, typer.Option(help="The bundle to write; must not exist.")],
    purpose: Annotated[str, typer.Option(help="What it is for; goes into the manifest.")],
    as_: Annotated[str, typer.Option("--as", help="The auditor in whose name it is recorded.")],
    tenant: Annotated[str, typer.Option(help="Tenant.")] = "demo",
    customer: Annotated[
        str | None, typer.Option(help="All about one customer (reference), and that it is all.")
    ] = None,
    agent: Annotated[str | None, typer.Option(help="All by one agent.")] = None,
    since: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    until: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    range_: Annotated[str, typer.Option("--range", help="Entries A:B, without B.")] = "",
) -> None:
    """Take a part of the log out as a bundle that anybody checks offline."""
    start, end = _range(range_)
    question = Question(
        purpose=purpose,
        customer=customer,
        agent=agent,
        since=instant(since),
        until=instant(until),
        start=start,
        end=end,
    )

    async def work() -> tuple[int, list[str]]:
        written = 0
        async with services() as opened:
            row = await opened.directory.get(tenant, as_)
            if row is None or not row.is_active:
                raise NotFoundError("nobody active of that id is in the directory")
            auditor = principal_from(
                row, actor=None, client="cli", session="cli", scopes=frozenset(ALL), mfa_at=None
            )
            settings, keyring = opened.settings, opened.keyring
            signer = export_signer(keyring, settings)
            maker = Evidence(
                opened.committer,
                opened.readers,
                opened.clock,
                opened.vault,
                TileFolder(log_dir(settings)),
                signer,
            )
            pieces = await maker.make(auditor, question)
            with out.open("xb") as file:
                async for piece in pieces:
                    written += file.write(piece)
            return written, [log_signer(keyring, settings).vkey, signer.vkey]

    try:
        count, vkeys = run_async(work)
    except FileExistsError:
        raise InvalidRequestError("that file exists: choose another name") from None
    print(f"{count} bytes written to {out}")
    print("hand these keys over another way; with them anybody checks it:")
    print(f"  guard verify-bundle {out} " + " ".join(f"--vkey '{one}'" for one in vkeys))
    print(f"  python3 verify.py {out} ...   (the same; verify.py is in the bundle)")


def verify_bundle(
    bundle: Annotated[Path, typer.Argument(help="The zip file.")],
    *,
    vkey: Annotated[
        list[str], typer.Option(help="Keys of the log and of its exporter; say it twice.")
    ],
    policy: Annotated[
        Path | None, typer.Option(help="Trust policy: its logs, witnesses and quorum.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a bundle of evidence; it needs no data folder and no key of the service."""
    trusted = None if policy is None else parse_policy(policy.read_bytes())
    report = check_bundle(bundle, [parse_vkey(one) for one in vkey], trusted)
    manifest = report.manifest
    lines = [
        f"holds: {report.shown} of {manifest.end - manifest.start} entries shown",
        f"in a tree of {manifest.size} with root {manifest.root}",
        f"asked by {manifest.requested_by} at {manifest.created_at}: {manifest.purpose}",
    ]
    if report.of_customer is not None:
        lines.append(f"all {report.of_customer} entries about the customer, and none after")
    document = {
        "origin": manifest.origin,
        "size": manifest.size,
        "root": manifest.root,
        "start": manifest.start,
        "end": manifest.end,
        "filter": manifest.filter,
        "shown": report.shown,
        "of_customer": report.of_customer,
        "requested_by": manifest.requested_by,
        "purpose": manifest.purpose,
        "created_at": manifest.created_at,
    }
    say(document, lines, as_json=as_json)


def _range(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    first, colon, last = text.partition(":")
    if not colon or not all(one == "" or one.isdecimal() for one in (first, last)):
        raise InvalidRequestError(f"`{text}` is no range, write `100:200`")
    return int(first or 0), int(last) if last else None


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(evidence)
    app.command(epilog=f"Exit {Exit.FOUND:d}: the bundle does not hold; the line says what.")(
        verify_bundle
    )
