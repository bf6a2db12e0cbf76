"""Puts the groups of commands together; nothing is decided here.

A command's module is imported when the command is called, so that none pays for the others.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from api import logs

# The modules that make each command, in the order of `guard --help`.
MODULES = {
    "serve": ("serve",),
    "worker": ("serve",),
    "witness": ("witness",),
    "migrate": ("migrate",),
    "verify": ("log",),
    "verify-history": ("history",),
    "log": ("log_questions", "reconcile"),
    "evidence": ("evidence",),
    "verify-bundle": ("evidence",),
    "fsck": ("fsck",),
    "complete": ("fsck",),
    "export": ("export",),
    "token": ("access",),
    "sign-in": ("access",),
    "keys": ("access",),
    "policy": ("policy", "policy_life"),
    "access-review": ("access_review",),
    "replay": ("detection",),
    "baseline": ("detection",),
    "quotas": ("quotas",),
    "erase": ("erasures",),
    "hold": ("erasures",),
    "restore-check": ("erasures",),
    "index": ("index",),
    "demo": ("demo",),
}


@cache
def command(name: str) -> "TyperCommand | TyperGroup":
    """The command of that name, which must be one of `MODULES`."""
    made = typer.Typer()
    for module in MODULES[name]:
        import_module(f"api.cli.{module}").register(made)
    return typer.main.get_group(made).commands[name]  # type: ignore[return-value] # Typer makes no others


class _Called(TyperGroup):
    """Makes a command when it is called."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(MODULES)

    def get_command(self, ctx: object, cmd_name: str) -> "TyperCommand | TyperGroup | None":  # noqa: ARG002 - as above
        return command(cmd_name) if cmd_name in MODULES else None


app = typer.Typer(
    cls=_Called,
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
