"""`guard replay` and `guard baseline`: detection over logs that another system wrote."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from api import baselines
from api.cli.opened import services
from api.cli.outcome import Json, run_async, say
from api.places import baselines_dir
from detectors.access_events import read
from detectors.pipeline import Pipeline
from guard.clock import Micros, from_rfc3339, to_rfc3339
from guard.entries import BodyValue, EntryKind, NewEntry, system_event
from guard.errors import InvalidRequestError
from guard.events import History
from guard.findings import Finding
from guard.vault.sealing import EntryVault

if TYPE_CHECKING:
    from api.bootstrap import Services

Events = Annotated[Path, typer.Argument(help="Access events, CSV or NDJSON.")]
Agents = Annotated[Path | None, typer.Option(help="The `agents` table.")]
Cases = Annotated[Path | None, typer.Option(help="The `cases` table.")]
Assignments = Annotated[Path | None, typer.Option(help="The `assignments` table.")]
baseline = typer.Typer(help="Finished stretches that detectors learn from.", no_args_is_help=True)


def replay(
    events: Events,
    *,
    agents: Agents = None,
    cases: Cases = None,
    assignments: Assignments = None,
    warm_up_until: Annotated[
        str, typer.Option(help="RFC 3339; what lies before it is only learnt from.")
    ] = "",
) -> None:
    """Run the detectors over a foreign log; one alert a line (NDJSON), in order of time."""
    history = read(events, agents=agents, cases=cases, assignments=assignments)
    pipeline = Pipeline()
    if warm_up_until:
        learnt, history = _split(history, warm_up_until)
        pipeline.warm_up(learnt)
    times = {e.position: e.ts for e in history.events}
    for finding in pipeline.replay(history):
        typer.echo(msgspec.json.encode(alert_line(finding, times)))


def alert_line(finding: Finding, times: dict[int, Micros]) -> dict[str, object]:
    """A finding as the public alerts format has it; evidence counts rows of the events file."""
    first = min((times[p] for p in finding.evidence if p in times), default=finding.first_event_at)
    return {
        "alert_id": finding.key,
        "raised_at": to_rfc3339(finding.raised_at),
        "agent_ids": finding.agent_ids,
        "first_event_ts": to_rfc3339(first),
        "score": finding.score,
        "severity": finding.severity,
        "channels": finding.channels,
        "reasons": finding.reasons,
        "evidence": finding.evidence,
        "kind": finding.kind,
    }


def _split(history: History, until: str) -> tuple[History, History]:
    try:
        edge = from_rfc3339(until)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None
    before = tuple(e for e in history.events if e.ts < edge)
    after = tuple(e for e in history.events if e.ts >= edge)
    return (
        History(profiles=history.profiles, events=before),
        History(profiles=history.profiles, events=after),
    )


@baseline.command()
def add(  # noqa: PLR0913 - each is an option of the command
    events: Events,
    *,
    agents: Agents = None,
    cases: Cases = None,
    assignments: Assignments = None,
    tenant: Annotated[str, typer.Option(help="Tenant.")] = "demo",
    name: Annotated[str, typer.Option(help="What people call it.")] = "baseline",
    as_json: Json = False,
) -> None:
    """Seal a foreign log into the data folder and record it, for the detectors to learn from."""
    history = read(events, agents=agents, cases=cases, assignments=assignments)
    plain = baselines.encode(history)

    async def work() -> str:
        async with services() as opened:
            return await record_baseline(opened, tenant, name, plain, len(history.events))

    digest = run_async(work)
    lines = [f"baseline {digest[:12]}: {len(history.events)} events; the worker reads it next"]
    say({"digest": digest, "rows": len(history.events)}, lines, as_json=as_json)


async def record_baseline(
    opened: "Services", tenant: str, name: str, plain: bytes, rows: int
) -> str:
    """Seal a warm-up file, then record the entry that names it; returns its digest.

    Raises:
        StoreUnavailableError: The entry could not be made durable; the file is left unnamed.
    """
    at = opened.clock.now()
    vault = EntryVault(opened.keyring)
    digest = baselines.write(baselines_dir(opened.settings), vault, tenant, at, plain)
    body: dict[str, BodyValue] = {"digest": digest, "name": name, "rows": rows}
    event = system_event(tenant, EntryKind.BASELINE, at, body)
    await opened.committer.run(lambda tx: tx.record(NewEntry(kind=EntryKind.BASELINE, event=event)))
    return digest


def register(app: typer.Typer) -> None:
    """Add the command and the group."""
    app.command()(replay)
    app.add_typer(baseline, name="baseline")
