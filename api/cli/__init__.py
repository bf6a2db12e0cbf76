"""The command line: `guard`, one file per group of commands.

What every command keeps to: `--help` says what it does, `--json` prints one JSON document instead
of sentences, an expected failure is one line that says what to do next, and the exit code is one of
`api.cli.outcome.Exit`.
"""

from api.cli.app import app
from api.cli.outcome import one_line_errors

__all__ = ["main"]


def main() -> None:
    """Run `guard` with the process's arguments, and exit."""
    with one_line_errors():
        app()
