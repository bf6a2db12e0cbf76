"""`guard evidence` and `guard verify-bundle`: what leaves the house, and how others check it."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.instants import instant
from api.cli.log_questions import As, Tenant
from api.cli.opened import services, somebody
from api.cli.outcome import Exit, Json, run_async, say
from api.cli.remote import Server, TokenFile, save
from api.places import export_signer, log_signer
from guard.clock import to_rfc3339
from guard.errors import ConfigurationError, InvalidRequestError
from guard.evidence.checking import verify_bundle as check_bundle
from guard.evidence.selecting import Question
from guard.evidence.stamped import StampReport
from guard.ledger.anchors import Stamps
from guard.ledger.note import parse_vkey
from guard.ledger.trust import parse_policy


def evidence(  # noqa: PLR0913 - each is an option of the command
    *,
    out: Annotated[Path, typer.Option(help="The bundle to write; must not exist.")],
    purpose: Annotated[str, typer.Option(help="What it is for; goes into the manifest.")],
    customer: Annotated[
        str, typer.Option(help="All about one customer (reference), and that it is all.")
    ] = "",
    agent: Annotated[str, typer.Option(help="All by one agent.")] = "",
    since: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    until: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    range_: Annotated[str, typer.Option("--range", help="Entries A:B, without B.")] = "",
    server: Server = "",
    token_file: TokenFile = None,
    as_: As = "",
    tenant: Tenant = "demo",
) -> None:
    """Take a part of the log out as a bundle that anybody checks offline."""
    start, end = _range(range_)
    named = {"customer": customer, "agent": agent, "since": since, "until": until}
    asked: dict[str, object] = {name: value for name, value in named.items() if value}
    asked |= {name: at for name, at in (("start", start), ("end", end)) if at is not None}
    try:
        if server:
            count = save(server, token_file, "/v1/evidence", asked | {"why": purpose}, out)
            vkeys: list[str] = []
        else:
            question = Question(
                purpose=purpose,
                customer=customer or None,
                agent=agent or None,
                since=instant(since),
                until=instant(until),
                start=start,
                end=end,
            )
            count, vkeys = run_async(lambda: _take(question, as_, tenant, out))
    except FileExistsError:
        raise InvalidRequestError("that file exists: choose another name") from None
    print(f"{count} bytes written to {out}")
    keys = [f"--vkey '{one}'" for one in vkeys] or ["--vkey LOG_KEY", "--vkey MANIFEST_KEY"]
    print("hand these keys over another way; with them anybody checks it:")
    print(f"  guard verify-bundle {out} " + " ".join(keys))
    print(f"  python3 verify.py {out} ...   (the same; verify.py is in the bundle)")


async def _take(question: Question, auditor: str, tenant: str, out: Path) -> tuple[int, list[str]]:
    """Write a bundle from the data folder; its size, and the keys that check it."""
    if not auditor:
        raise ConfigurationError("name who asks with --as, or a running service with --server")
    written = 0
    async with services() as opened:
        principal = await somebody(opened, tenant, auditor)
        pieces = await opened.evidence.make(principal, question)
        with out.open("xb") as file:
            async for piece in pieces:
                written += file.write(piece)
        settings, keyring = opened.settings, opened.keyring
        signers = (log_signer(keyring, settings), export_signer(keyring, settings))
        return written, [signer.vkey for signer in signers]


def verify_bundle(
    bundle: Annotated[Path, typer.Argument(help="The zip file.")],
    *,
    vkey: Annotated[
        list[str], typer.Option(help="Keys of the log and of its exporter; say it twice.")
    ],
    policy: Annotated[
        Path | None, typer.Option(help="Trust policy: its logs, witnesses and quorum.")
    ] = None,
    tsa_ca: Annotated[
        Path | None,
        typer.Option(help="PEM roots of time stamps: there must be one that holds."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a bundle of evidence; it needs no data folder and no key of the service."""
    trusted = None if policy is None else parse_policy(policy.read_bytes())
    stamps = None if tsa_ca is None else Stamps(tsa_ca.read_bytes())
    report = check_bundle(bundle, [parse_vkey(one) for one in vkey], trusted, stamps)
    manifest = report.manifest
    lines = [
        f"holds: {report.shown} of {manifest.end - manifest.start} entries shown",
        f"in a tree of {manifest.size} with root {manifest.root}",
        f"asked by {manifest.requested_by} at {manifest.created_at}: {manifest.purpose}",
    ]
    if report.of_customer is not None:
        lines.append(_whole_line(report.of_customer))
    if report.gaps:
        lines.append(f"{report.gaps} gaps in the numbers of writers, each told by an entry")
    lines.append(
        "the quorum of witnesses cosigned the tree"
        if report.is_cosigned
        else "not checked: witnesses, whom a --policy names"
    )
    lines += _stamp_lines(report.stamp)
    document = {
        "origin": manifest.origin,
        "size": manifest.size,
        "root": manifest.root,
        "start": manifest.start,
        "end": manifest.end,
        "filter": manifest.filter,
        "shown": report.shown,
        "of_customer": report.of_customer,
        "gaps": report.gaps,
        "requested_by": manifest.requested_by,
        "purpose": manifest.purpose,
        "created_at": manifest.created_at,
        "cosigned": report.is_cosigned,
        "stamp": None
        if report.stamp is None
        else {
            "size": report.stamp.size,
            "at": to_rfc3339(report.stamp.at),
            "signed": report.stamp.is_signed,
        },
    }
    say(document, lines, as_json=as_json)


def _whole_line(count: int) -> str:
    if count:
        return f"all {count} entries about the customer alone, and none after"
    return "none about the customer alone; not checked: whether the key of tags is the customer's"


def _stamp_lines(stamp: StampReport | None) -> list[str]:
    if stamp is None:
        return []
    said = f"the first {stamp.size} entries bear a time stamp of {to_rfc3339(stamp.at)}"
    if stamp.is_signed:
        return [f"{said}, which the authority signed"]
    return [said, "not checked: whether its authority signed it, see --tsa-ca"]


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
