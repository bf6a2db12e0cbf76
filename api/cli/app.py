"""Puts the groups of commands together; nothing is decided here."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from api import logs
from api.cli import (
    access,
    access_review,
    demo,
    detection,
    erasures,
    evidence,
    export,
    fsck,
    history,
    index,
    log,
    log_questions,
    migrate,
    policy,
    policy_life,
    quotas,
    reconcile,
    serve,
    witness,
)

app = typer.Typer(
    name="guard",
    help="The layer in front of customer records: masked, metered, purpose-bound, provably logged.",
    epilog=(
        "Exit codes: 0 done, 1 a check found something, 2 wrong usage, 65 the request makes no"
        " sense, 69 not available now, 77 not allowed, 78 cannot start with this configuration."
        " Settings are RECORDGUARD_* variables: docs/reference/settings.md."
    ),
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would print customers' values.
    pretty_exceptions_enable=False,
)
GROUPS = (
    serve,
    witness,
    migrate,
    log,
    history,
    log_questions,
    reconcile,
    evidence,
    fsck,
    export,
    access,
    policy,
    policy_life,
    access_review,
    detection,
    quotas,
    erasures,
    index,
    demo,
)
for group in GROUPS:
    group.register(app)


def _version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        try:
            found = version("recordguard")
        except PackageNotFoundError:
            found = "from a checkout that is not installed"
        print(f"recordguard {found}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Take the options that stand before any command."""
    # What a command prints is its answer; what goes wrong beside it is said on standard error.
    logs.configure("warning")


def command_names() -> frozenset[str]:
    """The names that may follow `guard`, without options."""
    click_group = typer.main.get_group(app)
    return frozenset(click_group.commands)
