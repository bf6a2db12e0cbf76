"""`guard demo`: an insider on a support floor, and what stops her.

A folder of its own, a company's own CRM, the real service with its worker, a hundred desks that use
nothing but the API, a morning at hundreds of times its speed. In the order of the play: `crm`
and `cast` (who and what), `stage` (before the day), `service` (the processes), `day` with
`case_book` (the traffic), `analyst` (the review), `tally` and `accounts` (what both sides counted),
`play` (all of it).
"""

import signal
from pathlib import Path
from typing import Annotated

import typer

from api.cli.outcome import Exit, run_async


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End by itself; exit 1 unless everything held.")
    ] = False,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the demo alone; emptied at the start.")
    ] = Path("data/demo"),
    seed: Annotated[int, typer.Option(min=0, help="Another floor, another insider.")] = 7,
    rate: Annotated[
        float, typer.Option(min=0, max=5000, help="How much faster a day passes; 0: as it can.")
    ] = 0,
) -> None:
    """Play one day of a support floor through the API, with somebody who photographs records."""
    from api.cli.demo.play import Plan, perform  # noqa: PLC0415 - no other command needs its rooms

    plan = Plan(data_dir=data_dir, seed=seed, rate=rate, keeps_serving=not once)
    # Ended by a plain SIGTERM, this process would leave its service behind.
    before = signal.signal(signal.SIGTERM, lambda _n, _f: signal.raise_signal(signal.SIGINT))
    try:
        held = run_async(lambda: perform(plan))
    finally:
        signal.signal(signal.SIGTERM, before)
    if not held:
        raise typer.Exit(Exit.FOUND)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=f"Exit {Exit.FOUND:d}: something that must hold did not; it is named.")(demo)
